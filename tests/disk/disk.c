// A disk that fails when it is told to, and remembers what was done to it: put before libc with LD_PRELOAD, it stands
// between a process and one directory.
//
//     cc -O2 -Wall -Wextra -shared -fPIC -o libdisk.so disk.c -ldl -lpthread
//     LD_PRELOAD=libdisk.so CONCORD_DISK_DIR=/data CONCORD_DISK_CONTROL=/other/control CONCORD_DISK_TRACE=/other/trace …
//
// Without CONCORD_DISK_TRACE nothing is remembered, without CONCORD_DISK_DIR it does nothing at all. Paths are
// absolute, and the directory is no symbolic link. What is mapped into memory goes by unseen: of SQLite that is the
// -shm file, which it rebuilds. So do stdio streams and calls to the kernel that bypass libc.
//
// The control file is 4096 bytes, little-endian words of 64 bits, mapped by the process, so that what a test writes
// to it holds at once:
//
//     0  magic           "CONCDSK1"
//     1  process         the one that attached last (written here)
//     2  records         in the trace (written here)
//     3  kind            of fault, see below; written last
//     4  class           of calls that it can happen to: 0 every one but reads
//     5  from            the first call of that class, counted from 1 since the file was made, at which it can happen
//     6  times           that it happens; 0: until kind is 0 again
//     7  fired           how often it happened (written here)
//     8  all             calls counted (written here): the sum of the five after it
//     9  write           write, pwrite, writev, pwritev
//    10  sync            fsync, fdatasync
//    11  truncate        truncate, ftruncate, fallocate, posix_fallocate
//    12  open            open for writing, or that creates
//    13  name            rename, unlink, link, mkdir, rmdir
//    14  read            read, pread, readv
//
// A fault happens at the first call from the one told on to which it can happen:
//
//     1  no space        ENOSPC of writes and of what creates or lengthens
//     2  read-only       EROFS of every call but reads
//     3  I/O error       EIO of every call of the class
//     4  quota           as 1, EDQUOT
//     5  short write     half is written, and ENOSPC is what follows
//     6  failed sync     EIO of syncs
//     7  kill            the process ends before the call, as by kill -9
//
// The trace is a sequence of records, in the order in which things happened: 56 bytes, the path, the data.
//
//     u32 bytes of the record   u32 operation   u64 number, from 0   u64 CLOCK_MONOTONIC in ns
//     u64 file   u64 a   u64 b   u32 bytes of the path   u32 bytes of the data
//
//     1  create     file, path                        the name did not exist
//     2  open       file, path                        it did
//     3  write      file, a = offset, data
//     4  truncate   file, a = length
//     5  begin      file, path where a directory      a sync begins
//     6  end        file, a = number of its begin, b = errno, 0 where it succeeded
//     7  rename     path = old, data = new
//     8  unlink     path; also rmdir
//     9  link       path = old, data = new
//    10  mkdir      file, path
//
// Paths are relative to the directory, which is "" itself. A file is its inode number; a create begins a new file even
// where the number was used before. The time of a record is taken when its operation begins (of an end: when the sync
// has returned), so that everything answered before it rests on earlier records only. Calls that failed leave no
// record, but for syncs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "one form of every call is enough where offsets have 64 bits");

enum { MAGIC, PROCESS, RECORDS, KIND, CLASS, FROM, TIMES, FIRED, COUNTS };
enum class { ALL, WRITE, SYNC, TRUNCATE, OPEN, NAME, READ };
enum kind { NONE, NO_SPACE, READ_ONLY, IO_ERROR, QUOTA, SHORT, FAILED_SYNC, KILL };
enum operation { CREATED = 1, OPENED, WRITTEN, TRUNCATED, BEGUN, ENDED, RENAMED, UNLINKED, LINKED, MADE };

struct header {
    uint32_t bytes, operation;
    uint64_t number, at, file, a, b;
    uint32_t path, data;
};
_Static_assert(sizeof(struct header) == 56, "the header has no gaps");

struct open_file {
    bool inside, directory;
    uint64_t inode;
    char *path; // Of directories only.
};

enum { MOST = 1 << 16 };
static struct open_file files[MOST];
static char dir[PATH_MAX];
static size_t dir_bytes;
static _Atomic uint64_t *control;
static int trace = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define REAL(name) static __typeof__(&name) real_##name
REAL(open); REAL(openat); REAL(close); REAL(dup); REAL(dup2); REAL(dup3); REAL(fcntl);
REAL(write); REAL(pwrite); REAL(writev); REAL(pwritev);
REAL(read); REAL(pread); REAL(readv);
REAL(fsync); REAL(fdatasync); REAL(truncate); REAL(ftruncate); REAL(fallocate); REAL(posix_fallocate);
REAL(rename); REAL(renameat); REAL(renameat2); REAL(unlink); REAL(unlinkat); REAL(link); REAL(linkat);
REAL(mkdir); REAL(mkdirat); REAL(rmdir); REAL(copy_file_range);

static void stop(const char *why) {
    fprintf(stderr, "disk: %s\n", why);
    abort();
}

// The path without ".", ".." and repeated slashes; symbolic links stay as they are.
static bool plain(int at, const char *path, char *out) {
    char whole[2 * PATH_MAX];
    size_t used = 0;
    if (path[0] != '/') {
        if (at == AT_FDCWD) {
            if (!getcwd(whole, PATH_MAX)) return false;
        } else {
            char name[64];
            snprintf(name, sizeof name, "/proc/self/fd/%d", at);
            ssize_t length = readlink(name, whole, PATH_MAX - 1);
            if (length < 0) return false;
            whole[length] = 0;
        }
        used = strlen(whole);
        whole[used++] = '/';
    }
    if (strlen(path) >= PATH_MAX) return false;
    strcpy(whole + used, path);
    size_t length = 0;
    for (char *rest = whole, *part; (part = strsep(&rest, "/"));) {
        if (!*part || !strcmp(part, ".")) continue;
        if (!strcmp(part, "..")) {
            while (length && out[--length] != '/') {}
            continue;
        }
        size_t more = strlen(part);
        if (length + more + 2 > PATH_MAX) return false;
        out[length++] = '/';
        memcpy(out + length, part, more);
        length += more;
    }
    out[length] = 0;
    return true;
}

// The path relative to the directory, or null where it is not below.
static const char *below(int at, const char *path, char *room) {
    if (!dir_bytes || !path || !plain(at, path, room) || strncmp(room, dir, dir_bytes)) return NULL;
    if (!room[dir_bytes]) return room + dir_bytes;
    return room[dir_bytes] == '/' ? room + dir_bytes + 1 : NULL;
}

static void set_up(void) {
#define FIND(name) real_##name = (__typeof__(real_##name))dlsym(RTLD_NEXT, #name)
    FIND(open); FIND(openat); FIND(close); FIND(dup); FIND(dup2); FIND(dup3); FIND(fcntl);
    FIND(write); FIND(pwrite); FIND(writev); FIND(pwritev);
    FIND(read); FIND(pread); FIND(readv);
    FIND(fsync); FIND(fdatasync); FIND(truncate); FIND(ftruncate); FIND(fallocate); FIND(posix_fallocate);
    FIND(rename); FIND(renameat); FIND(renameat2); FIND(unlink); FIND(unlinkat); FIND(link); FIND(linkat);
    FIND(mkdir); FIND(mkdirat); FIND(rmdir); FIND(copy_file_range);
    const char *where = getenv("CONCORD_DISK_DIR"), *by = getenv("CONCORD_DISK_CONTROL");
    const char *into = getenv("CONCORD_DISK_TRACE");
    if (!where) return;
    if (where[0] != '/' || !plain(AT_FDCWD, where, dir)) stop("CONCORD_DISK_DIR is no absolute path");
    if (!by) stop("CONCORD_DISK_CONTROL is not set");
    int fd = real_open(by, O_RDWR | O_CLOEXEC);
    void *words = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (words == MAP_FAILED || memcmp(words, "CONCDSK1", 8)) stop("CONCORD_DISK_CONTROL is no control file");
    real_close(fd);
    control = words;
    control[PROCESS] = (uint64_t)getpid();
    if (into) {
        trace = real_open(into, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (trace < 0) stop("CONCORD_DISK_TRACE can not be opened");
    }
    dir_bytes = strlen(dir);
}

__attribute__((constructor)) static void begin(void) { pthread_once(&once, set_up); }

// Operations and their records are in one order, within the process and among processes.
static void enter(void) {
    if (trace < 0) return;
    pthread_mutex_lock(&order);
    while (flock(trace, LOCK_EX) && errno == EINTR) {}
}

static void leave(void) {
    if (trace < 0) return;
    int before = errno;
    flock(trace, LOCK_UN);
    pthread_mutex_unlock(&order);
    errno = before;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Between `enter` and `leave`. The data may be in pieces, of which the first `bytes` bytes are meant.
static uint64_t record(enum operation operation, uint64_t at, uint64_t file, uint64_t a, uint64_t b, const char *path,
                       const struct iovec *data, int pieces, size_t bytes) {
    if (trace < 0) return 0;
    int before = errno;
    struct header header = {0, operation, control[RECORDS], at, file, a, b, path ? (uint32_t)strlen(path) : 0,
                            (uint32_t)bytes};
    header.bytes = (uint32_t)(sizeof header + header.path + bytes);
    char *whole = malloc(header.bytes), *to = whole;
    if (!whole) stop("no memory");
    memcpy(to, &header, sizeof header);
    to += sizeof header;
    memcpy(to, path ? path : "", header.path);
    to += header.path;
    for (int i = 0; i < pieces && bytes; i++) {
        size_t part = data[i].iov_len < bytes ? data[i].iov_len : bytes;
        memcpy(to, data[i].iov_base, part);
        to += part;
        bytes -= part;
    }
    if (real_write(trace, whole, header.bytes) != (ssize_t)header.bytes) stop("the trace can not be written");
    free(whole);
    control[RECORDS]++;
    errno = before;
    return header.number;
}

// Counts a call. The error that it shall have, 0 for none; SHORT is -1. `creates`: it wants space that it has not.
static int judge(enum class class, bool creates) {
    uint64_t all = 0, one = atomic_fetch_add(&control[COUNTS + class], 1) + 1;
    if (class != READ) all = atomic_fetch_add(&control[COUNTS + ALL], 1) + 1;
    enum kind kind = (enum kind)control[KIND];
    if (kind == NONE) return 0;
    enum class wanted = (enum class)control[CLASS];
    if (wanted == ALL ? class == READ : class != wanted) return 0;
    if ((wanted == ALL ? all : one) < control[FROM]) return 0;
    switch (kind) {
        case NO_SPACE: case QUOTA: if (!creates) return 0; break;
        case READ_ONLY: if (class == READ) return 0; break;
        case SHORT: if (class != WRITE) return 0; break;
        case FAILED_SYNC: if (class != SYNC) return 0; break;
        case IO_ERROR: case KILL: break;
        default: stop("no such kind of fault");
    }
    uint64_t fired = atomic_fetch_add(&control[FIRED], 1), times = control[TIMES];
    if (times && fired >= times) {
        atomic_fetch_sub(&control[FIRED], 1);
        return 0;
    }
    switch (kind) {
        case NO_SPACE: return ENOSPC;
        case READ_ONLY: return EROFS;
        case QUOTA: return EDQUOT;
        case SHORT: return fired ? ENOSPC : -1;
        case KILL: kill(getpid(), SIGKILL); for (;;) pause();
        default: return EIO;
    }
}

static int failed(int error) {
    errno = error;
    return -1;
}

static struct open_file *inside(int fd) {
    pthread_once(&once, set_up);
    return dir_bytes && fd >= 0 && fd < MOST && files[fd].inside ? &files[fd] : NULL;
}

static void remember(int fd, const char *path) {
    struct stat about;
    if (fd >= MOST) stop("too many open files");
    if (fstat(fd, &about)) stop("an open file has no state");
    bool directory = S_ISDIR(about.st_mode);
    files[fd] = (struct open_file){true, directory, about.st_ino, directory ? strdup(path) : NULL};
}

static void forget(int fd) {
    if (!inside(fd)) return;
    free(files[fd].path);
    files[fd] = (struct open_file){0};
}

static int copied(int from, int to) {
    struct open_file *file = inside(from);
    if (to < 0) return to;
    if (file && to >= MOST) stop("too many open files");
    if (from != to) forget(to);
    if (file && from != to) {
        files[to] = *file;
        if (file->path) files[to].path = strdup(file->path);
    }
    return to;
}

static int opening(int at, const char *path, int flags, mode_t mode) {
    char room[PATH_MAX];
    pthread_once(&once, set_up);
    const char *name = below(at, path, room);
    if (!name || (flags & O_PATH)) return real_openat(at, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) return failed(EOPNOTSUPP);
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    enter();
    uint64_t at_ns = now();
    bool exists = !faccessat(at, path, F_OK, AT_EACCESS);
    int error = writes ? judge(OPEN, !exists && (flags & O_CREAT)) : 0;
    int fd = error ? failed(error) : real_openat(at, path, flags, mode);
    if (fd >= 0) {
        remember(fd, name);
        if (!files[fd].directory) record(exists ? OPENED : CREATED, at_ns, files[fd].inode, 0, 0, name, NULL, 0, 0);
        if (exists && (flags & O_TRUNC)) record(TRUNCATED, at_ns, files[fd].inode, 0, 0, NULL, NULL, 0, 0);
    }
    leave();
    return fd;
}

static mode_t mode_of(int flags, va_list more) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(more, int) : 0;
}

#define OPEN_AT(name)                                      \
    int name(int at, const char *path, int flags, ...) {   \
        va_list more;                                      \
        va_start(more, flags);                             \
        mode_t mode = mode_of(flags, more);                \
        va_end(more);                                      \
        return opening(at, path, flags, mode);             \
    }
#define OPEN_HERE(name)                                    \
    int name(const char *path, int flags, ...) {           \
        va_list more;                                      \
        va_start(more, flags);                             \
        mode_t mode = mode_of(flags, more);                \
        va_end(more);                                      \
        return opening(AT_FDCWD, path, flags, mode);       \
    }
OPEN_HERE(open)
OPEN_HERE(open64)
OPEN_AT(openat)
OPEN_AT(openat64)

int creat(const char *path, mode_t mode) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd) {
    forget(fd);
    pthread_once(&once, set_up);
    return real_close(fd);
}

int dup(int fd) { return inside(fd) ? copied(fd, real_dup(fd)) : real_dup(fd); }
int dup2(int fd, int to) { pthread_once(&once, set_up); return copied(fd, real_dup2(fd, to)); }
int dup3(int fd, int to, int flags) { pthread_once(&once, set_up); return copied(fd, real_dup3(fd, to, flags)); }

#define FCNTL(name)                                                                            \
    int name(int fd, int command, ...) {                                                       \
        va_list more;                                                                          \
        va_start(more, command);                                                               \
        void *argument = va_arg(more, void *);                                                 \
        va_end(more);                                                                          \
        bool copies = inside(fd) && (command == F_DUPFD || command == F_DUPFD_CLOEXEC);        \
        int got = real_fcntl(fd, command, argument);                                           \
        return copies ? copied(fd, got) : got;                                                 \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

// What the call would write at its position; a negative offset is the file's own.
static ssize_t writing(int fd, const struct iovec *data, int pieces, off_t offset) {
    struct open_file *file = inside(fd);
    struct iovec half = {0};
    size_t bytes = 0;
    for (int i = 0; i < pieces; i++) bytes += data[i].iov_len;
    enter();
    uint64_t at = now();
    int error = judge(WRITE, true);
    if (error == -1 && bytes < 2) error = ENOSPC;
    if (error > 0) {
        leave();
        return failed(error);
    }
    off_t place = offset;
    int flags = real_fcntl(fd, F_GETFL);
    struct stat about;
    if (flags >= 0 && (flags & O_APPEND) && !fstat(fd, &about)) place = about.st_size;
    else if (offset < 0) place = lseek(fd, 0, SEEK_CUR);
    if (error == -1) {
        size_t left = bytes / 2;
        half.iov_base = malloc(left);
        if (!half.iov_base) stop("no memory");
        for (int i = 0; i < pieces && half.iov_len < left; i++) {
            size_t part = data[i].iov_len < left - half.iov_len ? data[i].iov_len : left - half.iov_len;
            memcpy((char *)half.iov_base + half.iov_len, data[i].iov_base, part);
            half.iov_len += part;
        }
        data = &half;
        pieces = 1;
    }
    ssize_t written = offset < 0 ? real_writev(fd, data, pieces) : real_pwritev(fd, data, pieces, offset);
    if (written > 0) record(WRITTEN, at, file->inode, (uint64_t)place, 0, NULL, data, pieces, (size_t)written);
    leave();
    free(half.iov_base);
    return written;
}

ssize_t write(int fd, const void *data, size_t bytes) {
    if (!inside(fd)) return real_write(fd, data, bytes);
    return writing(fd, &(struct iovec){(void *)data, bytes}, 1, -1);
}
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) {
    if (!inside(fd) || offset < 0) return real_pwrite(fd, data, bytes, offset);
    return writing(fd, &(struct iovec){(void *)data, bytes}, 1, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) { return pwrite(fd, data, bytes, offset); }
ssize_t writev(int fd, const struct iovec *data, int pieces) {
    return inside(fd) ? writing(fd, data, pieces, -1) : real_writev(fd, data, pieces);
}
ssize_t pwritev(int fd, const struct iovec *data, int pieces, off_t offset) {
    if (!inside(fd) || offset < 0) return real_pwritev(fd, data, pieces, offset);
    return writing(fd, data, pieces, offset);
}
ssize_t pwritev64(int fd, const struct iovec *data, int pieces, off_t offset) {
    return pwritev(fd, data, pieces, offset);
}

// What copies within the kernel is said not to be there, so that the caller writes.
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *place, size_t bytes, unsigned flags) {
    return inside(to) ? failed(EXDEV) : real_copy_file_range(from, at, to, place, bytes, flags);
}

ssize_t read(int fd, void *data, size_t bytes) {
    int error = inside(fd) ? judge(READ, false) : 0;
    return error ? failed(error) : real_read(fd, data, bytes);
}
ssize_t pread(int fd, void *data, size_t bytes, off_t offset) {
    int error = inside(fd) ? judge(READ, false) : 0;
    return error ? failed(error) : real_pread(fd, data, bytes, offset);
}
ssize_t pread64(int fd, void *data, size_t bytes, off_t offset) { return pread(fd, data, bytes, offset); }
ssize_t readv(int fd, const struct iovec *data, int pieces) {
    int error = inside(fd) ? judge(READ, false) : 0;
    return error ? failed(error) : real_readv(fd, data, pieces);
}

// Others may write while it lasts: what it makes durable is what came before its begin.
static int syncing(int fd, int (*real)(int)) {
    struct open_file file = *inside(fd);
    enter();
    int error = judge(SYNC, false);
    uint64_t begun = record(BEGUN, now(), file.inode, 0, 0, file.directory ? file.path : NULL, NULL, 0, 0);
    leave();
    int got = error ? failed(error) : real(fd);
    int why = got ? errno : 0;
    enter();
    record(ENDED, now(), file.inode, begun, (uint64_t)why, NULL, NULL, 0, 0);
    leave();
    return got ? failed(why) : 0;
}

int fsync(int fd) { return inside(fd) ? syncing(fd, real_fsync) : real_fsync(fd); }
int fdatasync(int fd) { return inside(fd) ? syncing(fd, real_fdatasync) : real_fdatasync(fd); }

int ftruncate(int fd, off_t length) {
    struct open_file *file = inside(fd);
    struct stat about;
    if (!file || fstat(fd, &about)) return real_ftruncate(fd, length);
    enter();
    uint64_t at = now();
    int error = judge(TRUNCATE, length > about.st_size);
    int got = error ? failed(error) : real_ftruncate(fd, length);
    if (!got) record(TRUNCATED, at, file->inode, (uint64_t)length, 0, NULL, NULL, 0, 0);
    leave();
    return got;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

int truncate(const char *path, off_t length) {
    char room[PATH_MAX];
    pthread_once(&once, set_up);
    if (!below(AT_FDCWD, path, room)) return real_truncate(path, length);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int got = fd < 0 ? -1 : ftruncate(fd, length), why = errno;
    if (fd >= 0) close(fd);
    errno = why;
    return got;
}
int truncate64(const char *path, off_t length) { return truncate(path, length); }

static int allocating(int fd, off_t offset, off_t bytes) {
    struct open_file *file = inside(fd);
    struct stat about;
    if (fstat(fd, &about)) return errno;
    enter();
    uint64_t at = now();
    bool grows = offset + bytes > about.st_size;
    int error = judge(TRUNCATE, grows);
    if (!error) error = real_posix_fallocate(fd, offset, bytes);
    if (!error && grows) record(TRUNCATED, at, file->inode, (uint64_t)(offset + bytes), 0, NULL, NULL, 0, 0);
    leave();
    return error;
}

int posix_fallocate(int fd, off_t offset, off_t bytes) {
    return inside(fd) ? allocating(fd, offset, bytes) : real_posix_fallocate(fd, offset, bytes);
}
int posix_fallocate64(int fd, off_t offset, off_t bytes) { return posix_fallocate(fd, offset, bytes); }
int fallocate(int fd, int mode, off_t offset, off_t bytes) {
    if (!inside(fd)) return real_fallocate(fd, mode, offset, bytes);
    if (mode) return failed(EOPNOTSUPP);
    int error = allocating(fd, offset, bytes);
    return error ? failed(error) : 0;
}
int fallocate64(int fd, int mode, off_t offset, off_t bytes) { return fallocate(fd, mode, offset, bytes); }

// Of two names that one call changes, both are below the directory or none.
static const char *both(int at, const char *old, char *room, int to, const char *new, char *other, const char **second) {
    pthread_once(&once, set_up);
    const char *first = below(at, old, room);
    *second = below(to, new, other);
    if (!first != !*second) stop("a name would leave or enter the directory");
    return first;
}

int renameat2(int at, const char *old, int to, const char *new, unsigned flags) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *second, *first = both(at, old, room, to, new, other, &second);
    if (!first) return real_renameat2(at, old, to, new, flags);
    if (flags & ~(unsigned)RENAME_NOREPLACE) return failed(EINVAL);
    enter();
    uint64_t began = now();
    int error = judge(NAME, true);
    int got = error ? failed(error) : real_renameat2(at, old, to, new, flags);
    if (!got) {
        struct iovec data = {(void *)second, strlen(second)};
        record(RENAMED, began, 0, 0, 0, first, &data, 1, data.iov_len);
    }
    leave();
    return got;
}
int renameat(int at, const char *old, int to, const char *new) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *second, *first = both(at, old, room, to, new, other, &second);
    return first ? renameat2(at, old, to, new, 0) : real_renameat(at, old, to, new);
}
int rename(const char *old, const char *new) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *second, *first = both(AT_FDCWD, old, room, AT_FDCWD, new, other, &second);
    return first ? renameat2(AT_FDCWD, old, AT_FDCWD, new, 0) : real_rename(old, new);
}

int linkat(int at, const char *old, int to, const char *new, int flags) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *second, *first = both(at, old, room, to, new, other, &second);
    if (!first) return real_linkat(at, old, to, new, flags);
    enter();
    uint64_t began = now();
    int error = judge(NAME, true);
    int got = error ? failed(error) : real_linkat(at, old, to, new, flags);
    if (!got) {
        struct iovec data = {(void *)second, strlen(second)};
        record(LINKED, began, 0, 0, 0, first, &data, 1, data.iov_len);
    }
    leave();
    return got;
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int at, const char *path, int flags) {
    char room[PATH_MAX];
    pthread_once(&once, set_up);
    const char *name = below(at, path, room);
    // That a name is not there comes before any fault.
    if (!name || faccessat(at, path, F_OK, AT_EACCESS)) return real_unlinkat(at, path, flags);
    enter();
    uint64_t began = now();
    int error = judge(NAME, false);
    int got = error ? failed(error) : real_unlinkat(at, path, flags);
    if (!got) record(UNLINKED, began, 0, 0, 0, name, NULL, 0, 0);
    leave();
    return got;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode) {
    char room[PATH_MAX];
    struct stat about;
    pthread_once(&once, set_up);
    const char *name = below(at, path, room);
    // That a name is there comes before any fault.
    if (!name || !faccessat(at, path, F_OK, AT_EACCESS)) return real_mkdirat(at, path, mode);
    enter();
    uint64_t began = now();
    int error = judge(NAME, true);
    int got = error ? failed(error) : real_mkdirat(at, path, mode);
    if (!got && !fstatat(at, path, &about, AT_SYMLINK_NOFOLLOW))
        record(MADE, began, about.st_ino, 0, 0, name, NULL, 0, 0);
    leave();
    return got;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
