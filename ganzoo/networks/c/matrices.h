/* Products of small matrices that lie in a processor's cache. */
#pragma once

#include <stdint.h>

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
enum { HEIGHT = 6, WIDTH = 2 * LANES };
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

#define AT(pointer) (*(lanes *)(pointer))

static const lanes ZERO;

/* A matrix whose rows and columns lie so far apart. */
typedef struct {
    const float *first;
    int64_t row, column;
} matrix;

/* A matrix in panels of WIDTH columns: panels lie so far apart, and their rows. */
typedef struct {
    const float *first;
    int64_t panel, row;
} panels;

/* One tile of a product, in registers: (height, depth) by (depth, vectors * LANES), from the left of a panel. */
static inline __attribute__((always_inline)) void tile(const int height, const int vectors, int64_t depth, matrix left,
                                                       panels right, float *to, int64_t width, int add)
{
    lanes sums[HEIGHT][2];
    for (int r = 0; r < height; r++)
        for (int v = 0; v < vectors; v++)
            sums[r][v] = add ? AT(to + r * width + v * LANES) : ZERO;
    for (int64_t k = 0; k < depth; k++) {
        lanes of_row[2];
        for (int v = 0; v < vectors; v++)
            of_row[v] = AT(right.first + k * right.row + v * LANES);
        for (int r = 0; r < height; r++)
            for (int v = 0; v < vectors; v++)
                sums[r][v] += left.first[r * left.row + k * left.column] * of_row[v];
    }
    for (int r = 0; r < height; r++)
        for (int v = 0; v < vectors; v++)
            AT(to + r * width + v * LANES) = sums[r][v];
}

/* What a panel, or its left half, gives of a product. */
static inline __attribute__((always_inline)) void multiply_panel(const int vectors, int64_t rows, int64_t depth,
                                                                 matrix left, panels right, float *to, int64_t width,
                                                                 int add)
{
    for (; rows >= HEIGHT; rows -= HEIGHT, left.first += HEIGHT * left.row, to += HEIGHT * width)
        tile(HEIGHT, vectors, depth, left, right, to, width, add);
    switch (rows) {
    case 5: tile(5, vectors, depth, left, right, to, width, add); break;
    case 4: tile(4, vectors, depth, left, right, to, width, add); break;
    case 3: tile(3, vectors, depth, left, right, to, width, add); break;
    case 2: tile(2, vectors, depth, left, right, to, width, add); break;
    case 1: tile(1, vectors, depth, left, right, to, width, add); break;
    }
}

/* (rows, depth) by (depth, width), to or added to (rows, width), which is a multiple of LANES. */
static void multiply(int64_t rows, int64_t depth, int64_t width, matrix left, panels right, float *to, int add)
{
    for (int64_t c = 0; c < width; c += WIDTH, right.first += right.panel)
        if (c + WIDTH <= width)
            multiply_panel(2, rows, depth, left, right, to + c, width, add);
        else
            multiply_panel(1, rows, depth, left, right, to + c, width, add);
}
