import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'coverage/', 'docs/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // FTP's bytes are what this project reads: NUL, IAC and CR stand in its patterns on purpose.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/node-internals/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'Identifier[name="_handle"], Literal[value="_tlsError"], Identifier[name="internalBinding"]',
          message: "What Node's documentation does not promise is used in src/node-internals alone.",
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // node:test's `test()` returns a promise that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
    },
  },
  { files: ['**/*.js', '*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['src/admin/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['addEventListener', 'clearTimeout', 'document', 'fetch', 'location', 'requestAnimationFrame'],
          ...['setInterval', 'setTimeout', 'AbortSignal', 'DOMException', 'EventSource', 'HTMLElement'],
          ...['Option', 'ResizeObserver'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
