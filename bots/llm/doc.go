// Package llm speaks with language models: one turn of a conversation, with
// tools that the model may call, over Anthropic's Messages, Amazon Bedrock's
// Converse, or the chat completions that OpenAI, Ollama, vLLM and llama.cpp
// share. Models, addresses and keys are configuration; nothing is tried again
// here, and nothing is decided.
package llm
