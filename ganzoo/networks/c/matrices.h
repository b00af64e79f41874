/* Products of small matrices that lie in a processor's cache. */
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

/* One tile of a product, in registers: (height, WIDTH) of (height, depth) by a panel (depth, WIDTH). */
static inline __attribute__((always_inline)) void tile(const int height, int64_t depth, const float *left, int64_t row,
                                                       int64_t column, const float *panel, float *to, int64_t width,
                                                       int add)
{
    lanes sums[HEIGHT][2];
    for (int r = 0; r < height; r++)
        for (int half = 0; half < 2; half++)
            sums[r][half] = add ? AT(to + r * width + half * LANES) : ZERO;
    for (int64_t k = 0; k < depth; k++) {
        lanes first = AT(panel + k * WIDTH), second = AT(panel + k * WIDTH + LANES);
        for (int r = 0; r < height; r++) {
            const float by = left[r * row + k * column];
            sums[r][0] += by * first;
            sums[r][1] += by * second;
        }
    }
    for (int r = 0; r < height; r++)
        for (int half = 0; half < 2; half++)
            AT(to + r * width + half * LANES) = sums[r][half];
}

/* A matrix (rows, depth), whose rows and columns lie so far apart, by panels (width / WIDTH, depth, WIDTH) of another
 * one, to or added to (rows, width). */
static void multiply(int64_t rows, int64_t depth, int64_t width, const float *left, int64_t row, int64_t column,
                     const float *panels, float *to, int add)
{
    for (int64_t c = 0; c < width; c += WIDTH) {
        const float *panel = panels + c * depth, *from = left;
        float *out = to + c;
        int64_t rest = rows;
        for (; rest >= HEIGHT; rest -= HEIGHT, from += HEIGHT * row, out += HEIGHT * width)
            tile(HEIGHT, depth, from, row, column, panel, out, width, add);
        if (rest >= 4) {
            tile(4, depth, from, row, column, panel, out, width, add);
            rest -= 4, from += 4 * row, out += 4 * width;
        }
        for (; rest > 0; rest--, from += row, out += width)
            tile(1, depth, from, row, column, panel, out, width, add);
    }
}
