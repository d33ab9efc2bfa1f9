import { readdirSync, readFileSync } from "node:fs";
import { ESLint } from "eslint";
import { describe, expect, it } from "vitest";

const web = import.meta.dirname.replace(/src\/app$/, "");
const eslint = new ESLint({ cwd: web, overrideConfigFile: `${web}eslint.config.js` });

async function complaints(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: `${web}src/${file}` });
  return (result?.messages ?? []).map((message) => message.ruleId ?? "");
}

describe("the law of imports bites", { timeout: 60_000 }, () => {
  it.each([
    ["features/ci/x.ts", 'import { roles } from "@/features/accounts/roles";\nexport const x = roles;\n'],
    ["features/ci/x.ts", 'import { features } from "@/app/features";\nexport const x = features;\n'],
    ["ui/x.ts", 'import { api } from "@/api/client";\nexport const x = api;\n'],
    ["api/x.ts", 'import { classes } from "@/ui/classes";\nexport const x = classes;\n'],
    ["format/x.ts", 'import { roles } from "@/features/accounts/roles";\nexport const x = roles;\n'],
  ])("in %s against %s", async (file, text) => {
    expect(await complaints(file, text)).toContain("import-x/no-restricted-paths");
  });

  it("and lets through what it allows", async () => {
    expect(await complaints("features/ci/x.ts", 'import { classes } from "@/ui/classes";\nexport const x = classes;\n')).toEqual([]);
  });

  it("and refuses colours that are no roles", async () => {
    // Put together here, or this file would break the rule it tests.
    const raw = [["#1a", "7f37"].join(""), ["rgb", "(1_2_3)"].join("")];
    expect(await complaints("features/ci/x.ts", `export const x = "${raw[0]}";\n`)).toContain("no-restricted-syntax");
    expect(await complaints("features/ci/x.ts", `export const x = "bg-[${raw[1]}]";\n`)).toContain("no-restricted-syntax");
    expect(await complaints("features/ci/x.ts", 'export const x = "build #412";\n')).toEqual([]);
  });
});

it("style sheets name roles, never colours, outside tokens.css", () => {
  const sheets = readdirSync(`${web}src`, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".css") && !name.endsWith("tokens.css"));
  const raw = sheets.filter((name) => /#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch)a?\(/i.test(readFileSync(`${web}src/${name}`, "utf8")));
  expect(raw).toEqual([]);
  expect(sheets.length).toBeGreaterThan(4);
});
