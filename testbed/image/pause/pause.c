/* SPDX-License-Identifier: MIT */
/* Holds a pod's namespaces open: waits, reaps what is handed to it, ends when told to. */
#include <signal.h>
#include <sys/wait.h>

int main(void) {
  sigset_t set;
  int signal;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, 0);
  while (sigwait(&set, &signal) == 0 && signal == SIGCHLD)
    while (waitpid(-1, 0, WNOHANG) > 0)
      ;
  return 0;
}
