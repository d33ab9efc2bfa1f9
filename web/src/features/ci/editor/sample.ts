/** A pipeline that needs nothing but this server, and ends within seconds. */
export const sample = `# Runs on this machine's own programs; needs no registry and no network.
jobs:
- name: hello
  plan:
  - task: greet
    config:
      platform: linux
      image_resource:
        type: mock
        source: {mirror_self: true}
      run:
        path: sh
        args: [-c, "echo Hello from $(uname -n)"]
`;
