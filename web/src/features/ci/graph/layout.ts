import { Graph, layout as arrange } from "@dagrejs/dagre";
import { shortVersion } from "../state";
import type { Drawing, GraphNode } from "./model";

export type Place = { x: number; y: number; width: number; height: number };

const jobHeight = 52;
const pillHeight = 40;
// The average width of a letter at 13 px and 11 px mono, enough to choose a width before anything is drawn.
const letter = 7.4;
const monoLetter = 6.7;

/** The room a node takes. Names longer than the most are clipped; the tip has them whole. */
export function sizeOf(node: GraphNode): { width: number; height: number } {
  if (node.kind === "job") {
    // Glyph, name, mini strip.
    return { width: within(148, 240, 12 + 18 + node.job.name.length * letter + 12 + 36 + 12), height: jobHeight };
  }
  const words = Math.max(node.name.length * letter, shortVersion(node.resource?.last_version).length * monoLetter);
  const signs = (node.after === undefined && node.resource?.check_error ? 18 : 0) + (node.resource?.pinned ? 20 : 0);
  return { width: within(100, 200, words + signs + 32), height: pillHeight };
}

const within = (least: number, most: number, value: number) => Math.round(Math.min(most, Math.max(least, value)));

/** Places by id, left to right; x and y are the upper left corner. */
export function places({ nodes, edges }: Drawing): Map<string, Place> {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 36, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { ...sizeOf(node) });
  for (const edge of edges) graph.setEdge(edge.from, edge.to);
  arrange(graph);
  const found = new Map<string, Place>();
  for (const { id } of nodes) {
    const { x, y, width, height } = graph.node(id) as Place;
    found.set(id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2), width, height });
  }
  return found;
}
