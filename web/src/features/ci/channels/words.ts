const words: Record<string, string> = { mail: "Mail", slack: "Slack", webhook: "Webhook", github: "GitHub" };

/** What a kind of channel is called. */
export const kindWord = (kind: string) => words[kind] ?? kind;

/** Words as people type them: separated by commas, blanks or lines. */
export const listed = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
