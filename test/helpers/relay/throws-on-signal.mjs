/** Loaded into a program by `--import`: throws where nobody catches it, when SIGWINCH comes. */
process.on('SIGWINCH', () => {
  throw new Error('thrown by a test');
});
