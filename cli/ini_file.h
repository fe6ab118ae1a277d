/* One INI file, line by line, by inih, with what that library leaves out: lines of any length (its buffer holds 200
 * bytes), the number of the line each value stands in, empty sections, and a clear no to lines that are neither. Used
 * by config.c and config_write.c.
 *
 * A comment begins with ; or # at the start of a line, or with ; after white space. Leading white space means nothing.
 */
#ifndef ABGLEICH_INI_FILE_H
#define ABGLEICH_INI_FILE_H

#include "base/fault.h"

#define INI_FILE_MAX_BYTES (4u << 20)

/* Both get strings borrowed for the call; anything but FAULT_NONE ends the reading. */
struct ini_sink {
    void *ctx;
    enum fault_code (*section)(void *ctx, struct str name, unsigned line, struct fault *f);
    enum fault_code (*value)(void *ctx, struct str key, struct str value, unsigned line, struct fault *f);
};

/* FAULT_CONFIG with "FILE:LINE: ..." for what cannot be read, FAULT_GONE if there is no such file. */
enum fault_code ini_file_read(const char *path, const struct ini_sink *sink, struct fault *f);

#endif
