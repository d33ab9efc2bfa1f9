import js from "@eslint/js";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import { importX } from "eslint-plugin-import-x";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const features = ["accounts", "system", "ci", "issues", "logs", "assistant", "edge", "home", "notifications", "story"];
const src = import.meta.dirname + "/src";

// ui, api and format know nothing above them; features know nothing of each other; only app sees everything.
const zones = [
  ...["ui", "format", "styles"].map((layer) => ({
    target: `${src}/${layer}`,
    from: ["app", "features", "api"].map((above) => `${src}/${above}`),
    message: `${layer} holds no data and knows nothing above it.`,
  })),
  {
    target: `${src}/api`,
    from: ["app", "features", "ui"].map((above) => `${src}/${above}`),
    message: "api is below features and the app.",
  },
  {
    target: `${src}/features`,
    from: `${src}/app`,
    message: "Features are composed by the app, they do not import it.",
  },
  ...features.map((feature) => ({
    target: `${src}/features/${feature}`,
    from: `${src}/features`,
    except: [`./${feature}`],
    message: "Features do not import each other.",
  })),
];

const rawColour = "/#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})(?![0-9a-zA-Z])|(rgba?|hsla?|oklch|oklab|lab|lch)\\(/";
const noRawColour = [
  { selector: `Literal[value=${rawColour}]`, message: "Name a role token of styles/tokens.css, not a colour." },
  { selector: `TemplateElement[value.raw=${rawColour}]`, message: "Name a role token of styles/tokens.css, not a colour." },
];

export default tseslint.config(
  { ignores: ["web/dist/**", "**/*.gen.ts", "dist/**", "web/public/**"] },
  js.configs.recommended,
  tseslint.configs.recommended,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat["recommended-latest"],
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { globals: globals.browser },
    plugins: { "import-x": importX },
    settings: {
      "import-x/resolver-next": [createTypeScriptImportResolver({ project: import.meta.dirname + "/tsconfig.json" })],
    },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones }],
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "import-x/no-duplicates": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": ["error", { allow: ["error", "warn"] }],
      "jsx-a11y/no-autofocus": "off",
      "max-lines": ["error", { max: 400 }],
    },
  },
  { files: ["**/src/features/**", "**/src/app/**"], rules: { "no-restricted-syntax": ["error", ...noRawColour] } },
);
