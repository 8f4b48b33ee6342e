// What runs in the pods of test_rollout.py, from an image of nothing but this.
//   workload pause      the sandbox of a pod: sleeps
//   workload work DIR   writes log lines as ordered through the pipe DIR/orders, one order a line:
//                         lines GOOD BAD PAUSE_US   GOOD to stdout, BAD to stderr, in turns, a pause each 100
//                         end                       ends as a program that failed
//                       and a byte to DIR/done for each, once the kernel has all that was written.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void ended(int sig) {
  (void)sig;
  _exit(0);
}

// Each line is 128 bytes, so that no read of a pipe ends within one: containerd writes what it has of a
// line as two parts, one in the old file and one in the new, when the log is rotated between two reads.
static void say(FILE* to, const char* level, long n, unsigned pause_us) {
  char line[129];
  int end = snprintf(line, sizeof line, "{\"level\":\"%s\",\"n\":%ld,\"msg\":\"taken", level, n);
  memset(line + end, '.', 125 - end);
  memcpy(line + 125, "\"}\n", 3);
  fwrite(line, 1, 128, to);
  if (n % 100 == 0 && pause_us != 0) {
    fflush(to);
    usleep(pause_us);
  }
}

static void lines(long good, long bad, unsigned pause_us) {
  static long n;
  while (good > 0 || bad > 0) {
    if (good > 0) good--, say(stdout, "info", ++n, pause_us);
    if (bad > 0) bad--, say(stderr, "error", ++n, pause_us);
  }
  fflush(stdout);
  fflush(stderr);
}

int main(int count, char** words) {
  signal(SIGTERM, ended);  // the first process of a container has no default action
  if (count < 3 || strcmp(words[1], "work") != 0)
    for (;;) pause();
  static char out[1 << 16], err[1 << 16];
  setvbuf(stdout, out, _IOFBF, sizeof out);
  setvbuf(stderr, err, _IOFBF, sizeof err);
  if (chdir(words[2]) != 0) return 1;
  const int orders = open("orders", O_RDWR), done = open("done", O_WRONLY | O_APPEND);
  FILE* in = orders < 0 ? NULL : fdopen(orders, "r");
  if (in == NULL || done < 0) return 1;
  for (char order[100]; fgets(order, sizeof order, in) != NULL;) {
    long good, bad;
    unsigned pause_us;
    if (sscanf(order, "lines %ld %ld %u", &good, &bad, &pause_us) == 3) lines(good, bad, pause_us);
    if (write(done, "x", 1) != 1) return 1;
    if (strcmp(order, "end\n") == 0) return 3;
  }
  return 1;
}
