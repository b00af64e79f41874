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

/* One tile of a product, in registers: (height, WIDTH) of (height, depth) by a panel of (depth, WIDTH). */
static inline __attribute__((always_inline)) void tile(const int height, int64_t depth, matrix left, panels right,
                                                       float *to, int64_t width, int add)
{
    lanes sums[HEIGHT][2];
    for (int r = 0; r < height; r++)
        for (int half = 0; half < 2; half++)
            sums[r][half] = add ? AT(to + r * width + half * LANES) : ZERO;
    for (int64_t k = 0; k < depth; k++) {
        lanes first = AT(right.first + k * right.row), second = AT(right.first + k * right.row + LANES);
        for (int r = 0; r < height; r++) {
            const float by = left.first[r * left.row + k * left.column];
            sums[r][0] += by * first;
            sums[r][1] += by * second;
        }
    }
    for (int r = 0; r < height; r++)
        for (int half = 0; half < 2; half++)
            AT(to + r * width + half * LANES) = sums[r][half];
}

/* (rows, depth) by (depth, width), to or added to (rows, width). */
static void multiply(int64_t rows, int64_t depth, int64_t width, matrix left, panels right, float *to, int add)
{
    for (int64_t c = 0; c < width; c += WIDTH, right.first += right.panel) {
        matrix from = left;
        float *out = to + c;
        int64_t rest = rows;
        for (; rest >= HEIGHT; rest -= HEIGHT, from.first += HEIGHT * from.row, out += HEIGHT * width)
            tile(HEIGHT, depth, from, right, out, width, add);
        switch (rest) {
        case 5: tile(5, depth, from, right, out, width, add); break;
        case 4: tile(4, depth, from, right, out, width, add); break;
        case 3: tile(3, depth, from, right, out, width, add); break;
        case 2: tile(2, depth, from, right, out, width, add); break;
        case 1: tile(1, depth, from, right, out, width, add); break;
        }
    }
}
