import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const handedIn =
  'Time and randomness are handed in: use the Clock (or the random source) that was given to you.';

const ambient = {
  globals: ['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({
    name,
    message: handedIn,
  })),
  syntax: [
    {
      selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
      message: handedIn,
    },
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: handedIn },
    {
      selector: 'MemberExpression[object.name="Math"][property.name="random"]',
      message: handedIn,
    },
    {
      selector: 'MemberExpression[object.name="process"][property.name="hrtime"]',
      message: handedIn,
    },
    {
      selector: 'ImportDeclaration[source.value=/^(node:)?(timers|timers.promises|perf_hooks)$/]',
      message: handedIn,
    },
  ],
};

export default defineConfig(
  globalIgnores(['**/node_modules/', 'coverage/', 'out/', 'data/']),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Both read well; a shape that is extended is an interface, a union is a type.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: 'bigint', from: 'lib' }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/strict-boolean-expressions': 'off',
      // A state machine's handlers and a fake's methods are async or empty by contract.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // noPropertyAccessFromIndexSignature asks for brackets where this rule would ask for a dot.
      '@typescript-eslint/dot-notation': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 20],
      'max-params': ['error', 5],
      'no-restricted-globals': ['error', ...ambient.globals],
      'no-restricted-syntax': ['error', ...ambient.syntax],
    },
  },
  {
    // Where the real clock and the real random source live, and where wall time is what is measured.
    files: ['protocol/src/clock/**', 'protocol/src/clock.ts', 'hil-tests/src/bench/**'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // What a person runs in a shell talks to that person.
    files: ['gateway/src/cli/**', 'device-emulator/src/control/cli.ts', 'hil-tests/src/{bench,soak,demo}/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly' },
    },
  },
);
