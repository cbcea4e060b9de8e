import '@aigolos/runtime/steady-memory';

await import('./start.ts');
