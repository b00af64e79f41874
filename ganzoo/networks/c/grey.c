/* Convolutions from or to a single channel. Maps (N, rows, columns, C), kernels (K, K, C) and pictures (N, height, width)
 * have one number together, linear in each of the three:
 *
 *     sum of maps[n, h, w, c] kernels[i, j, c] pictures[n, S h + i - P, S w + j - P]
 *
 * where pictures are 0 outside. Its derivative by one of them is a function of the other two, and is computed a line of a
 * map at a time, with what lies in between in the processor's L1 cache.
 *
 * Maps are of float, or of bf16, the first half of a float's bits; all else is float, and so are the sums.
 */
#include <string.h>

#include "library.h"

typedef struct {
    int64_t count, height, width, rows, columns, channels, kernel, stride, padding, in_bf16;
} sizes;

/* What a thread computes in: a picture with its border, K * K numbers for each place in a line of a map, and the line. */
typedef struct {
    float *bordered, *patches, *line;
} work;

static int64_t bordered_width(const sizes *of)
{
    return of->width + 2 * of->padding;
}

static int64_t bordered_size(const sizes *of)
{
    return (of->height + 2 * of->padding) * bordered_width(of);
}

/* K * K, and as many more as fill a vector. */
static int64_t whole_vectors(const sizes *of)
{
    return (of->kernel * of->kernel + LANES - 1) / LANES * LANES;
}

static int64_t line_size(const sizes *of)
{
    return of->columns * of->channels;
}

/* How many numbers a thread computes in. */
int64_t memory_size(const sizes *of)
{
    return bordered_size(of) + of->columns * whole_vectors(of) + line_size(of);
}

static work work_of_thread(const sizes *of, float *memory)
{
    float *mine = memory + omp_get_thread_num() * memory_size(of), *patches = mine + bordered_size(of);
    return (work){mine, patches, patches + of->columns * whole_vectors(of)};
}

/* A line of the maps: where it is, or what it says in float. */
static const float *read_line(const sizes *of, const void *maps, int64_t index, float *line)
{
    if (!of->in_bf16)
        return (const float *)maps + index * line_size(of);
    const int64_t size = line_size(of);
    const uint16_t *from = (const uint16_t *)maps + index * size;
    for (int64_t k = 0; k < size; k++) {
        uint32_t bits = (uint32_t)from[k] << 16;
        memcpy(line + k, &bits, sizeof bits);
    }
    return line;
}

/* Where to compute a line of the maps. */
static float *line_to_fill(const sizes *of, void *maps, int64_t index, float *line)
{
    return of->in_bf16 ? line : (float *)maps + index * line_size(of);
}

/* And then to write it, rounded to the nearest, of two the even one. */
static void write_line(const sizes *of, void *maps, int64_t index, const float *line)
{
    if (!of->in_bf16)
        return;
    const int64_t size = line_size(of);
    uint16_t *to = (uint16_t *)maps + index * size;
    for (int64_t k = 0; k < size; k++) {
        uint32_t bits;
        memcpy(&bits, line + k, sizeof bits);
        int number = (bits & 0x7fffffff) <= 0x7f800000;
        to[k] = number ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : 0x7fc0;
    }
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

/* The adjoint of gather, of patches (columns, whole vectors): added to a picture. */
static void scatter(const sizes *of, const float *patches, int64_t row, float *bordered)
{
    for (int64_t column = 0; column < of->columns; column++)
        for (int64_t i = 0; i < of->kernel; i++) {
            float *to = bordered + (of->stride * row + i) * bordered_width(of) + of->stride * column;
            for (int64_t j = 0; j < of->kernel; j++)
                to[j] += patches[column * whole_vectors(of) + i * of->kernel + j];
        }
}

/* Pictures and kernels to maps, and so a convolution. Kernels: (K, K, C). */
void grey_to_maps(const sizes *of, int64_t threads, const float *pictures, const float *kernels, void *maps,
                  float *memory)
{
    const int64_t offsets = of->kernel * of->kernel;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        work w = work_of_thread(of, memory);
        put_border(of, pictures + n * of->height * of->width, w.bordered);
        for (int64_t row = 0; row < of->rows; row++) {
            float *line = line_to_fill(of, maps, n * of->rows + row, w.line);
            gather(of, w.bordered, row, w.patches);
            multiply(of->columns, offsets, of->channels, (matrix){w.patches, offsets, 1},
                     (panels){kernels, WIDTH, of->channels}, line, 0);
            write_line(of, maps, n * of->rows + row, line);
        }
    }
}

/* Maps and kernels to pictures, and so a transposed convolution. Kernels: (C, whole vectors). */
void maps_to_grey(const sizes *of, int64_t threads, const void *maps, const float *kernels, float *pictures,
                  float *memory)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        work w = work_of_thread(of, memory);
        memset(w.bordered, 0, bordered_size(of) * sizeof(float));
        for (int64_t row = 0; row < of->rows; row++) {
            const float *line = read_line(of, maps, n * of->rows + row, w.line);
            multiply(of->columns, of->channels, whole_vectors(of), (matrix){line, of->channels, 1},
                     (panels){kernels, WIDTH, whole_vectors(of)}, w.patches, 0);
            scatter(of, w.patches, row, w.bordered);
        }
        for (int64_t y = 0; y < of->height; y++)
            memcpy(pictures + (n * of->height + y) * of->width, line_of(of, w.bordered, y), of->width * sizeof(float));
    }
}

/* Maps and pictures to kernels, added to (threads, K, K, C) by each thread to its own. */
void grey_kernels(const sizes *of, int64_t threads, const void *maps, const float *pictures, float *kernels,
                  float *memory)
{
    const int64_t offsets = of->kernel * of->kernel;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t n = 0; n < of->count; n++) {
        work w = work_of_thread(of, memory);
        put_border(of, pictures + n * of->height * of->width, w.bordered);
        for (int64_t row = 0; row < of->rows; row++) {
            const float *line = read_line(of, maps, n * of->rows + row, w.line);
            gather(of, w.bordered, row, w.patches);
            multiply(offsets, of->columns, of->channels, (matrix){w.patches, 1, offsets},
                     (panels){line, WIDTH, of->channels}, kernels + omp_get_thread_num() * offsets * of->channels, 1);
        }
    }
}
