export * from './llm-engine.ts';
export * from './node-llama-cpp-engine.ts';
export * from './openai-compatible-llm-engine.ts';
export * from './test-llm-engine.ts';
