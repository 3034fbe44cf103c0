/* sshsig.c - nothing yet. */
