/* Convolutions from or to a single channel. Maps (N, rows, columns, C), kernels (K, K, C) and pictures (N, height, width)
 * have one number together, linear in each of the three:
 *
 *     sum of maps[n, h, w, c] kernels[i, j, c] pictures[n, S h + i - P, S w + j - P]
 *
 * where pictures are 0 outside. Its derivative by one of them is a function of the other two, and is computed a line of a
 * map at a time, with what lies in between in the processor's L1 cache.
 */
#include <string.h>

#include "library.h"

typedef struct {
    int64_t count, height, width, rows, columns, channels, kernel, stride, padding;
} sizes;

static int64_t bordered_width(const sizes *of)
{
    return of->width + 2 * of->padding;
}

static int64_t bordered_size(const sizes *of)
{
    return (of->height + 2 * of->padding) * bordered_width(of);
}

/* K * K, and as many more as fill a panel. */
static int64_t whole_panels(const sizes *of)
{
    return (of->kernel * of->kernel + WIDTH - 1) / WIDTH * WIDTH;
}

/* How many numbers a thread computes in: a picture with its border, and K * K for each place in a line of a map. */
int64_t memory_size(const sizes *of)
{
    return bordered_size(of) + of->columns * whole_panels(of);
}

/* Where a line of a picture begins in the one with a border. */
static float *line_of(const sizes *of, float *bordered, int64_t y)
{
    return bordered + (of->padding + y) * bordered_width(of) + of->padding;
}

static void put_border(const sizes *of, const float *picture, float *bordered)
{
    memset(bordered, 0, bordered_size(of) * sizeof(float));
    for (int64_t y = 0; y < of->height; y++)
        memcpy(line_of(of, bordered, y), picture + y * of->width, of->width * sizeof(float));
}

/* What the kernel covers at each place in a line of a map: (columns, K, K). */
static void gather(const sizes *of, const float *bordered, int64_t row, float *patches)
{
    for (int64_t column = 0; column < of->columns; column++)
        for (int64_t i = 0; i < of->kernel; i++) {
            const float *from = bordered + (of->stride * row + i) * bordered_width(of) + of->stride * column;
            for (int64_t j = 0; j < of->kernel; j++)
                *patches++ = from[j];
        }
}

/* The adjoint of gather, of patches (columns, whole panels): added to a picture. */
static void scatter(const sizes *of, const float *patches, int64_t row, float *bordered)
{
    for (int64_t column = 0; column < of->columns; column++)
        for (int64_t i = 0; i < of->kernel; i++) {
            float *to = bordered + (of->stride * row + i) * bordered_width(of) + of->stride * column;
            for (int64_t j = 0; j < of->kernel; j++)
                to[j] += patches[column * whole_panels(of) + i * of->kernel + j];
        }
}

/* Pictures and kernels to maps, and so a convolution. Kernels: (K, K, C). */
void grey_to_maps(const sizes *of, int64_t threads, const float *pictures, const float *kernels, float *maps,
                  float *memory)
{
    const int64_t line = of->columns * of->channels, offsets = of->kernel * of->kernel;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        float *bordered = memory + omp_get_thread_num() * memory_size(of), *patches = bordered + bordered_size(of);
        put_border(of, pictures + n * of->height * of->width, bordered);
        for (int64_t row = 0; row < of->rows; row++) {
            gather(of, bordered, row, patches);
            multiply(of->columns, offsets, of->channels, (matrix){patches, offsets, 1},
                     (panels){kernels, WIDTH, of->channels}, maps + (n * of->rows + row) * line, 0);
        }
    }
}

/* Maps and kernels to pictures, and so a transposed convolution. Kernels: (C, whole panels). */
void maps_to_grey(const sizes *of, int64_t threads, const float *maps, const float *kernels, float *pictures,
                  float *memory)
{
    const int64_t line = of->columns * of->channels;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        float *bordered = memory + omp_get_thread_num() * memory_size(of), *patches = bordered + bordered_size(of);
        memset(bordered, 0, bordered_size(of) * sizeof(float));
        for (int64_t row = 0; row < of->rows; row++) {
            multiply(of->columns, of->channels, whole_panels(of),
                     (matrix){maps + (n * of->rows + row) * line, of->channels, 1},
                     (panels){kernels, WIDTH, whole_panels(of)}, patches, 0);
            scatter(of, patches, row, bordered);
        }
        for (int64_t y = 0; y < of->height; y++)
            memcpy(pictures + (n * of->height + y) * of->width, line_of(of, bordered, y), of->width * sizeof(float));
    }
}

/* Maps and pictures to kernels, added to (threads, K, K, C) by each thread to its own. */
void grey_kernels(const sizes *of, int64_t threads, const float *maps, const float *pictures, float *kernels,
                  float *memory)
{
    const int64_t line = of->columns * of->channels, offsets = of->kernel * of->kernel;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        float *bordered = memory + omp_get_thread_num() * memory_size(of), *patches = bordered + bordered_size(of);
        put_border(of, pictures + n * of->height * of->width, bordered);
        for (int64_t row = 0; row < of->rows; row++) {
            gather(of, bordered, row, patches);
            multiply(offsets, of->columns, of->channels, (matrix){patches, 1, offsets},
                     (panels){maps + (n * of->rows + row) * line, WIDTH, of->channels},
                     kernels + omp_get_thread_num() * offsets * of->channels, 1);
        }
    }
}
