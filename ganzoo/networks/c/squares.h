/* Blocks of squares: from pixels to parts, and from products to values, and the gradients the other way.
 *
 * Names and shapes are those of squares.py: of S squares, parts (9, S, C) are multiplied by factors (25, O, C) to products,
 * which are four (2, 2, S, 2, 2, O), two (4, S, 2, O) and one (S, O), by whether the square's pixels were summed along no
 * side, one side or both.
 */
#include <string.h>

#include "matrices.h"

enum { PARTS = 9, FACTORS = 25, PIXELS = 4, VALUES = 16 };

/* Sizes of one call: maps of 2 rows x 2 columns pixels, and how many maps are computed together. */
typedef struct {
    int64_t maps, rows, columns, inputs, outputs, together;
} sizes;

typedef struct {
    const sizes *of;
    int64_t maps, squares;
    float *parts, *products;
} block;

static block block_at(const sizes *of, int64_t first, float *memory)
{
    int64_t maps = of->maps - first < of->together ? of->maps - first : of->together;
    block b = {of, maps, maps * of->rows * of->columns, memory, 0};
    b.products = memory + PARTS * b.squares * of->inputs;
    return b;
}

/* From pixels (maps, 2 rows, 2 columns, C) to parts. */
static void split(const block *b, const float *pixels)
{
    int64_t width = b->of->inputs, line = 2 * b->of->columns * width, part = b->squares * width;
    for (int64_t square = 0; square < b->squares; square++) {
        const float *top = pixels + 2 * (square / b->of->columns) * line + 2 * (square % b->of->columns) * width;
        const float *bottom = top + line;
        for (int64_t c = 0; c < width; c += LANES) {
            float *to = b->parts + square * width + c;
            lanes x00 = AT(top + c), x01 = AT(top + width + c), x10 = AT(bottom + c), x11 = AT(bottom + width + c);
            lanes left = x00 + x10, right = x01 + x11;
            lanes parts[PARTS] = {x00, x01, x10, x11, left, right, x00 + x01, x10 + x11, left + right};
            for (int k = 0; k < PARTS; k++)
                AT(to + k * part) = parts[k];
        }
    }
}

/* From gradients of parts to those of pixels. */
static void split_adjoint(const block *b, float *pixels)
{
    int64_t width = b->of->inputs, line = 2 * b->of->columns * width, part = b->squares * width;
    for (int64_t square = 0; square < b->squares; square++) {
        float *top = pixels + 2 * (square / b->of->columns) * line + 2 * (square % b->of->columns) * width;
        float *bottom = top + line;
        const float *from = b->parts + square * width;
        for (int64_t c = 0; c < width; c += LANES) {
            lanes g[PARTS];
            for (int k = 0; k < PARTS; k++)
                g[k] = AT(from + k * part + c);
            lanes left = g[4] + g[8], right = g[5] + g[8];
            AT(top + c) = g[0] + left + g[6];
            AT(top + width + c) = g[1] + right + g[6];
            AT(bottom + c) = g[2] + left + g[7];
            AT(bottom + width + c) = g[3] + right + g[7];
        }
    }
}

/* The product of a square by pixel x0, pixel x1 or their sum (0, 1, 2) and the first or second factor (0, 1), down and
 * across; a sum has one factor. */
static inline float *product(const block *b, int64_t square, int down, int down_factor, int across, int across_factor)
{
    int64_t width = b->of->outputs, all = b->squares;
    float *two = b->products + 16 * all * width, *one = two + 8 * all * width;
    if (down < 2 && across < 2)
        return b->products + ((((down * 2 + across) * all + square) * 2 + down_factor) * 2 + across_factor) * width;
    if (across < 2)
        return two + ((across * all + square) * 2 + across_factor) * width;
    if (down < 2)
        return two + (((2 + down) * all + square) * 2 + down_factor) * width;
    return one + square * width;
}

/* The four values of one of a square's products across, joined down. */
static inline __attribute__((always_inline)) void join_down(const block *b, int64_t square, int above, int below,
                                                            int across, int factor, int64_t c, lanes values[4])
{
    lanes first0 = AT(product(b, square, 0, 0, across, factor) + c);
    lanes first1 = AT(product(b, square, 0, 1, across, factor) + c);
    lanes second0 = AT(product(b, square, 1, 0, across, factor) + c);
    lanes second1 = AT(product(b, square, 1, 1, across, factor) + c);
    lanes both = AT(product(b, square, 2, 0, across, factor) + c);
    int64_t columns = b->of->columns;
    values[0] = above ? first1 + AT(product(b, square - columns, 1, 1, across, factor) + c) : first1;
    values[1] = both - (first0 + second0);
    values[2] = both - (first1 + second1);
    values[3] = below ? second0 + AT(product(b, square + columns, 0, 0, across, factor) + c) : second0;
}

/* From products to values (maps, 4 rows, 4 columns, O): down first, then across. Sums (2, O), unless there are none,
 * become those of the values about a point, and of the squares of their distances from it. */
static void join(const block *b, float *values, const float *about, float *sums)
{
    if (sums)
        memset(sums, 0, 2 * b->of->outputs * sizeof(float));
    int64_t width = b->of->outputs, rows = b->of->rows, columns = b->of->columns, line = 4 * columns * width;
    for (int64_t square = 0; square < b->squares; square++) {
        int64_t row = square / columns, column = square % columns;
        int above = row % rows > 0, below = row % rows < rows - 1;
        float *to = values + 4 * row * line + 4 * column * width;
        for (int64_t c = 0; c < width; c += LANES) {
            lanes first0[4], first1[4], second0[4], second1[4], both[4];
            lanes before[4] = {ZERO, ZERO, ZERO, ZERO}, behind[4] = {ZERO, ZERO, ZERO, ZERO};
            join_down(b, square, above, below, 0, 0, c, first0);
            join_down(b, square, above, below, 0, 1, c, first1);
            join_down(b, square, above, below, 1, 0, c, second0);
            join_down(b, square, above, below, 1, 1, c, second1);
            join_down(b, square, above, below, 2, 0, c, both);
            if (column > 0)
                join_down(b, square - 1, above, below, 1, 1, c, before);
            if (column < columns - 1)
                join_down(b, square + 1, above, below, 0, 0, c, behind);
            lanes middle = sums ? AT(about + c) : ZERO, sum = ZERO, distances = ZERO;
            for (int k = 0; k < 4; k++) {
                float *place = to + k * line + c;
                lanes joined[4] = {first1[k] + before[k], both[k] - (first0[k] + second0[k]),
                                   both[k] - (first1[k] + second1[k]), second0[k] + behind[k]};
                for (int j = 0; j < 4; j++) {
                    lanes from = joined[j] - middle;
                    AT(place + j * width) = joined[j];
                    sum += from;
                    distances += from * from;
                }
            }
            if (sums) {
                AT(sums + c) += sum;
                AT(sums + width + c) += distances;
            }
        }
    }
}

/* From gradients of values to those of products: across first, then down. */
static void join_adjoint(const block *b, const float *values)
{
    int64_t width = b->of->outputs, rows = b->of->rows, columns = b->of->columns, line = 4 * columns * width;
    for (int64_t square = 0; square < b->squares; square++) {
        int64_t row = square / columns, column = square % columns;
        /* Of the squares above and below, the line next to this one. */
        int from = row % rows > 0 ? -1 : 0, to = row % rows < rows - 1 ? 5 : 4;
        const float *corner = values + 4 * row * line + 4 * column * width;
        for (int64_t c = 0; c < width; c += LANES) {
            lanes gradients[5][6] = {{ZERO}};
            for (int k = from; k < to; k++) {
                const float *v = corner + k * line + c;
                lanes v0 = AT(v), v1 = AT(v + width), v2 = AT(v + 2 * width), v3 = AT(v + 3 * width);
                gradients[0][k + 1] = (column > 0 ? AT(v - width) : ZERO) - v1;
                gradients[1][k + 1] = v0 - v2;
                gradients[2][k + 1] = v3 - v1;
                gradients[3][k + 1] = (column < columns - 1 ? AT(v + 4 * width) : ZERO) - v2;
                gradients[4][k + 1] = v1 + v2;
            }
            for (int k = 0; k < 5; k++) {
                const lanes *v = gradients[k] + 1;
                AT(product(b, square, 0, 0, k / 2, k % 2) + c) = v[-1] - v[1];
                AT(product(b, square, 0, 1, k / 2, k % 2) + c) = v[0] - v[2];
                AT(product(b, square, 1, 0, k / 2, k % 2) + c) = v[3] - v[1];
                AT(product(b, square, 1, 1, k / 2, k % 2) + c) = v[4] - v[2];
                AT(product(b, square, 2, 0, k / 2, k % 2) + c) = v[1] + v[2];
            }
        }
    }
}

/* One part, its products, how many numbers a square has in them, and how many factors come before the part's. */
typedef struct {
    float *part, *products;
    int64_t width, before;
} term;

static term term_at(const block *b, int k)
{
    int64_t factors = k < 4 ? 4 : k < 8 ? 2 : 1, before = k < 4 ? 4 * k : k < 8 ? 2 * k + 8 : 24;
    term t = {b->parts + k * b->squares * b->of->inputs, b->products + before * b->squares * b->of->outputs,
              factors * b->of->outputs, before};
    return t;
}
