/**
 * Where a floating layer is put: in the open dialog, else in the page's main part. Beside everything else it would
 * stand outside every landmark, and a dialog would hide it from readers.
 */
export function layerHost(): Element {
  return document.querySelector("[role=dialog].dialog") ?? document.querySelector("main") ?? document.body;
}
