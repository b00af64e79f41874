/* Nearest upsampling and a 3x3 convolution in the way that karatsuba.py describes, and batch normalisation and a leaky
 * rectifier after it, a block of maps to each thread. A block is so small that what lies in between stays in the thread's
 * own cache.
 */
#include <math.h>

#include "library.h"
#include "squares.h"

/* What follows the convolution, for each of O channels: slope * z where z = weight * (value - mean) / sqrt(variance + eps)
 * + bias is negative, else z. Totals are (threads, 2, O) zeros, and about is where the mean may be expected: sums about a
 * point far from it would cost the variance its digits.
 */
typedef struct {
    float eps, slope;
    const float *weight, *bias, *about;
    float *mean, *variance, *of_weight, *of_bias, *work;
    double *totals;
} normalisation;

typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4)));

/* Where before is positive, value; elsewhere slope times value. */
static inline lanes rectified(lanes before, lanes value, float slope)
{
    mask on = before > 0;
    return (lanes)((on & (mask)value) | (~on & (mask)(value * slope)));
}

static void add_to(double *totals, const float *sums, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        totals[k] += sums[k];
}

/* All threads' totals to those of the first, in an order that is always the same. */
static void add_up(double *totals, int64_t threads, int64_t count)
{
    for (int64_t thread = 1; thread < threads; thread++)
        for (int64_t k = 0; k < count; k++)
            totals[k] += totals[thread * count + k];
}

/* The work's scale and shift, such that z = scale * value + shift. */
static void scale_and_shift(const normalisation *n, int64_t outputs)
{
    float *scale = n->work, *shift = n->work + outputs;
    for (int64_t c = 0; c < outputs; c++) {
        scale[c] = n->weight[c] / sqrt((double)n->variance[c] + n->eps);
        shift[c] = n->bias[c] - n->mean[c] * scale[c];
    }
}

/* To the values of all maps, and with a normalisation to its results. Factors: (25, O / WIDTH, C, WIDTH).
 * Memory: for each thread, together * rows * columns * (9 C + 41 O) + 2 O numbers. */
void double_and_convolve(const sizes *of, int64_t threads, const normalisation *n, const float *pixels,
                         const float *factors, float *values, float *results, float *memory)
{
    const int64_t inputs = of->inputs, outputs = of->outputs, squares = of->rows * of->columns;
    const int64_t own = of->together * squares * (PARTS * inputs + (FACTORS + VALUES) * outputs) + 2 * outputs;
    const int64_t all = of->maps * squares * VALUES;
#pragma omp parallel num_threads(threads)
    {
        float *mine = memory + omp_get_thread_num() * own, *sums = n ? mine + own - 2 * outputs : NULL;
#pragma omp for schedule(static)
        for (int64_t first = 0; first < of->maps; first += of->together) {
            block b = block_at(of, first, mine);
            split(&b, pixels + first * squares * PIXELS * inputs);
            for (int k = 0; k < PARTS; k++) {
                term t = term_at(&b, k);
                multiply(b.squares, inputs, t.width, (matrix){t.part, inputs, 1},
                         (panels){factors + t.before * outputs * inputs, inputs * WIDTH, WIDTH}, t.products, 0);
            }
            join(&b, values + first * squares * VALUES * outputs, n ? n->about : NULL, sums);
            if (n)
                add_to(n->totals + omp_get_thread_num() * 2 * outputs, sums, 2 * outputs);
        }
        if (n) {
#pragma omp single
            {
                add_up(n->totals, threads, 2 * outputs);
                for (int64_t c = 0; c < outputs; c++) {
                    double from = n->totals[c] / all;
                    n->mean[c] = n->about[c] + from;
                    n->variance[c] = fmax(n->totals[outputs + c] / all - from * from, 0);
                }
                scale_and_shift(n, outputs);
            }
            const float *scale = n->work, *shift = n->work + outputs;
#pragma omp for schedule(static)
            for (int64_t row = 0; row < all; row++)
                for (int64_t c = 0; c < outputs; c += LANES) {
                    lanes z = AT(values + row * outputs + c) * AT(scale + c) + AT(shift + c);
                    AT(results + row * outputs + c) = rectified(z, z, n->slope);
                }
        }
    }
}

/* The gradient behind the rectifier, of the numbers beginning at value. */
static inline lanes behind_rectifier(const normalisation *n, int64_t outputs, int64_t c, lanes value, lanes gradient)
{
    return rectified(value * AT(n->work + c) + AT(n->work + outputs + c), gradient, n->slope);
}

/* The normalisation's own gradients, and what those of the values need of them; called by all threads. */
static void differentiate_normalisation(const normalisation *n, int64_t threads, int64_t all, int64_t outputs,
                                        const float *values, const float *of_results, float *sums)
{
    enum { TOGETHER = 64 };
    double *totals = n->totals + omp_get_thread_num() * 2 * outputs;
    float *scale = n->work, *slant = n->work + 2 * outputs, *rest = n->work + 3 * outputs;
#pragma omp for schedule(static)
    for (int64_t first = 0; first < all; first += TOGETHER) {
        memset(sums, 0, 2 * outputs * sizeof(float));
        for (int64_t row = first; row < all && row < first + TOGETHER; row++)
            for (int64_t c = 0; c < outputs; c += LANES) {
                lanes value = AT(values + row * outputs + c);
                lanes gradient = behind_rectifier(n, outputs, c, value, AT(of_results + row * outputs + c));
                AT(sums + c) += gradient;
                AT(sums + outputs + c) += gradient * (value - AT(n->mean + c));
            }
        add_to(totals, sums, 2 * outputs);
    }
#pragma omp single
    {
        add_up(n->totals, threads, 2 * outputs);
        for (int64_t c = 0; c < outputs; c++) {
            double square = (double)n->variance[c] + n->eps;
            n->of_bias[c] = n->totals[c];
            n->of_weight[c] = n->totals[outputs + c] / sqrt(square);
            slant[c] = -n->totals[outputs + c] / (all * square) * scale[c];
            rest[c] = -n->totals[c] / all * scale[c];
        }
    }
}

/* From gradients of the results to those of the values of a block. */
static void differentiate_values(const normalisation *n, const block *b, const float *values, const float *of_results,
                                 float *of_values)
{
    const int64_t outputs = b->of->outputs;
    const float *scale = n->work, *slant = n->work + 2 * outputs, *rest = n->work + 3 * outputs;
    for (int64_t row = 0; row < b->squares * VALUES; row++)
        for (int64_t c = 0; c < outputs; c += LANES) {
            lanes value = AT(values + row * outputs + c);
            lanes gradient = behind_rectifier(n, outputs, c, value, AT(of_results + row * outputs + c));
            AT(of_values + row * outputs + c) =
                gradient * AT(scale + c) + (value - AT(n->mean + c)) * AT(slant + c) + AT(rest + c);
        }
}

/* From gradients of the results, or of the values where there is no normalisation, to those of pixels, and of factors
 * (threads, 25, O, C), to each thread's own. Factors: (C / WIDTH, 25, O, WIDTH).
 * Memory: as above. */
void double_and_convolve_backward(const sizes *of, int64_t threads, const normalisation *n, const float *pixels,
                                  const float *factors, const float *values, const float *of_results, float *of_pixels,
                                  float *of_factors, float *memory)
{
    const int64_t inputs = of->inputs, outputs = of->outputs, squares = of->rows * of->columns;
    const int64_t own = of->together * squares * (PARTS * inputs + (FACTORS + VALUES) * outputs) + 2 * outputs;
    const int64_t factor_count = FACTORS * outputs * inputs;
    int present = 0; /* there may be fewer threads than were asked for */
    if (n)
        scale_and_shift(n, outputs);
#pragma omp parallel num_threads(threads)
    {
        float *mine = memory + omp_get_thread_num() * own, *total = of_factors + omp_get_thread_num() * factor_count;
        int begun = 0;
        if (n)
            differentiate_normalisation(n, threads, of->maps * squares * VALUES, outputs, values, of_results,
                                        mine + own - 2 * outputs);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < of->maps; first += of->together) {
            block b = block_at(of, first, mine);
            const int64_t place = first * squares * VALUES * outputs;
            const float *of_values = of_results + place;
            if (n) {
                float *computed = b.products + FACTORS * b.squares * outputs;
                differentiate_values(n, &b, values + place, of_values, computed);
                of_values = computed;
            }
            split(&b, pixels + first * squares * PIXELS * inputs);
            join_adjoint(&b, of_values);
            for (int k = 0; k < PARTS; k++) {
                term t = term_at(&b, k);
                multiply(t.width, b.squares, inputs, (matrix){t.products, 1, t.width}, (panels){t.part, WIDTH, inputs},
                         total + t.before * outputs * inputs, begun);
                /* The part has been used, and its place takes its gradient. */
                multiply(b.squares, t.width, inputs, (matrix){t.products, t.width, 1},
                         (panels){factors + t.before * outputs * WIDTH, FACTORS * outputs * WIDTH, WIDTH}, t.part, 0);
            }
            split_adjoint(&b, of_pixels + first * squares * PIXELS * inputs);
            begun = 1;
        }
        if (!begun)
            memset(total, 0, factor_count * sizeof(float));
#pragma omp single
        present = omp_get_num_threads();
    }
    memset(of_factors + present * factor_count, 0, (threads - present) * factor_count * sizeof(float));
}
