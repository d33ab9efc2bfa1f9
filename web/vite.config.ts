import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.SIGNALBOX_URL ?? "http://localhost:8080";

export default defineConfig({
  root: here("."),
  cacheDir: here("../node_modules/.vite"),
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": here("./src") } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Nothing is inlined as data: URL, the content security policy of the server allows only its own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What many pages use travels together: left alone, each icon and each hook is a request of its own. Nothing with styles
    // may be in there: they would come before those of the whole and turn the order of their layers around.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: "icons", test: /lucide-react/, minShareCount: 2 },
            { name: "queries", test: /@tanstack\/(react-query|query-core)/, minShareCount: 2 },
            { name: "pieces", test: /src\/(api|format|ui)\/(?!Dialog|Drawer|thread\/|.*Layer|schema|ansi)/, minShareCount: 3 },
          ],
        },
      },
    },
    reportCompressedSize: true,
  },
  server: {
    proxy: Object.fromEntries(["/api", "/sky", "/hooks"].map((path) => [path, { target: server }])),
  },
  test: {
    css: false,
    // Rules are tested in plain Node, which starts at once; components need a document.
    projects: [
      { extends: true, test: { name: "rules", environment: "node", include: ["src/**/*.test.ts"] } },
      { extends: true, test: { name: "components", environment: "jsdom", include: ["src/**/*.test.tsx"], setupFiles: [here("./src/test-setup.ts")] } },
    ],
  },
});
