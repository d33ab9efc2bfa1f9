import type { CompletionContext } from "@codemirror/autocomplete";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic as Mark, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import type { Diagnostic } from "../queries";
import { keysAt } from "./keys";

/** A place to put the cursor at; a new object each time it is asked for. */
export type Goto = { line: number; column: number };

type Props = { /** The text to begin with; mount anew to replace what was typed. */ start: string; onChange: (value: string) => void; diagnostics: Diagnostic[]; goto: Goto | null; onSave: () => void; readOnly: boolean };

/** The text with lines, folds, completion and marks where something is wrong. */
export function CodeEditor({ start, onChange, diagnostics, goto, onSave, readOnly }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ onChange, onSave, text: start });
  useEffect(() => {
    latest.current.onChange = onChange;
    latest.current.onSave = onSave;
  });

  useEffect(() => {
    // In a shadow tree CodeMirror constructs its sheets; in the document it would write style elements, which our policy forbids.
    const root = host.current?.shadowRoot ?? host.current?.attachShadow({ mode: "open" });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          extensions,
          EditorState.readOnly.of(readOnly),
          keymap.of([{ key: "Mod-s", preventDefault: true, run: () => (latest.current.onSave(), true) }]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            latest.current.text = update.state.doc.toString();
            latest.current.onChange(latest.current.text);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, diagnostics.map((one) => marked(one, editor.state.doc))));
  }, [diagnostics]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !goto || goto.line < 1) return;
    const at = place(editor.state.doc, goto);
    editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    editor.focus();
  }, [goto]);

  // The class tells the frame that letters typed here are text: of a shadow tree it sees only the host.
  return <div className="yaml cm-editor" ref={host} />;
}

function place(doc: Text, { line, column }: Goto): number {
  const row = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(row.to, row.from + Math.max(0, column - 1));
}

function marked({ line, column, severity, message }: Diagnostic, doc: Text): Mark {
  const from = place(doc, { line, column });
  const word = /^[\w.-]+/.exec(doc.sliceString(from, doc.lineAt(from).to))?.[0].length ?? 1;
  return { from, to: Math.min(doc.length, from + word), severity, message };
}

function complete(context: CompletionContext) {
  const word = context.matchBefore(/\w*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const keys = keysAt(context.state.sliceDoc(0, context.pos));
  return keys.length === 0 ? null : { from: word.from, options: keys.map(({ name, means }) => ({ label: name, apply: `${name}: `, detail: means, type: "property" })), validFor: /^\w*$/ };
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--log-blue)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--log-green)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--log-yellow)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--log-time)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--log-time)" },
  { tag: [tags.labelName, tags.typeName, tags.meta], color: "var(--log-magenta)" },
]);

// Role tokens, as the style sheets: the theme of the editor comes as a constructed sheet, which the policy of pages allows.
const theme = EditorView.theme(
  {
    "&": { height: "100%", backgroundColor: "var(--log-bg)", color: "var(--log-fg)" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { font: "var(--t-log)", fontVariantLigatures: "none" },
    ".cm-content": { caretColor: "var(--log-fg)", padding: "8px 0" },
    ".cm-cursor": { borderLeftColor: "var(--log-accent)", borderLeftWidth: "2px" },
    ".cm-gutters": { backgroundColor: "var(--log-bg)", color: "var(--log-bright-black)", border: "none" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--log-raised)" },
    ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--log-select)" },
    ".cm-selectionMatch": { backgroundColor: "var(--log-line)" },
    ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--log-mark)", color: "inherit" },
    ".cm-tooltip": { backgroundColor: "var(--log-raised)", color: "var(--log-fg)", border: "1px solid var(--log-line)", borderRadius: "4px" },
    ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", fontSize: "12px" },
    ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--log-select)", color: "var(--log-fg)" },
    ".cm-completionIcon": { display: "none" },
    ".cm-completionDetail": { fontStyle: "normal", fontFamily: "var(--font-ui)", color: "var(--log-time)" },
    ".cm-panels": { backgroundColor: "var(--log-raised)", color: "var(--log-fg)" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--log-line)", color: "var(--log-fg)", border: "none" },
    ".cm-diagnostic": { fontFamily: "var(--font-ui)" },
    ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--log-red)", textUnderlineOffset: "3px" },
    ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--log-yellow)", textUnderlineOffset: "3px" },
    ".cm-lint-marker": { width: "10px", height: "10px", content: "none", borderRadius: "2px" },
    ".cm-lint-marker-error": { backgroundColor: "var(--log-red)" },
    ".cm-lint-marker-warning": { backgroundColor: "var(--log-yellow)", borderRadius: "50%" },
  },
  { dark: true },
);

/** Moves the lines of the selection by one level. */
function indent(view: EditorView, by: 1 | -1): boolean {
  const { state } = view;
  const starts = new Set(state.selection.ranges.flatMap(({ from, to }) => linesBetween(state.doc, from, to)));
  const changes = [...starts].map((from) => (by > 0 ? { from, insert: "  " } : { from, to: from + (/^ {0,2}/.exec(state.doc.lineAt(from).text)?.[0].length ?? 0) }));
  view.dispatch({ changes });
  return true;
}

function linesBetween(doc: Text, from: number, to: number): number[] {
  const found: number[] = [];
  for (let n = doc.lineAt(from).number; n <= doc.lineAt(to).number; n += 1) found.push(doc.line(n).from);
  return found;
}

const extensions = [
  // Tab indents, as in every editor; after Escape it leaves.
  keymap.of([{ key: "Tab", run: (view) => indent(view, 1), shift: (view) => indent(view, -1) }]),
  basicSetup,
  theme,
  lintGutter(),
  indentUnit.of("  "),
  EditorState.tabSize.of(2),
  yaml(),
  syntaxHighlighting(colours),
  EditorState.languageData.of(() => [{ autocomplete: complete }]),
  EditorView.contentAttributes.of({ "aria-label": "Configuration of the pipeline, YAML", tabindex: "0" }),
];
