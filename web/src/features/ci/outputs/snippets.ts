/** What a pipeline says to keep what its builds make; the job's own name is filled in. */
const extension = (job: string, lines: string) => `signalbox:
  jobs:
    ${job}:
${lines}`;

export const testsSnippet = (job: string) => extension(job, '      test_reports: ["results/**/*.xml"]');
export const artifactsSnippet = (job: string) => extension(job, '      artifacts: [{path: "dist/*.tgz", keep: 720h}]');
export const sbomSnippet = (job: string) => extension(job, '      sbom: ["dist/bom.json"]');
