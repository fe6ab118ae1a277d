/* Files as the command line needs them: read whole, written atomically. */
#ifndef ABGLEICH_FILE_H
#define ABGLEICH_FILE_H

#include "base/fault.h"

/* Appends the whole file to out ("-" = standard input). FAULT_GONE: not there; FAULT_TOO_LARGE: beyond out->limit;
 * FAULT_CONFIG: anything else. */
enum fault_code file_read(const char *path, struct buf *out, struct fault *f);

/* The file holds either the old or the new text at any instant, also after a power failure. Mode 0600; the folder is
 * made (0700) if it is missing. */
enum fault_code file_write(const char *path, struct str text, struct fault *f);
enum fault_code file_remove(const char *path, struct fault *f); /* not there is fine */

/* "/etc/abgleich/abgleich.ini" -> "/etc/abgleich"; "." where there is no slash. Owned by the caller. */
char *file_folder(const char *path);

#endif
