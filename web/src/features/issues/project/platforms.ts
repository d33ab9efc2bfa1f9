/** What programs are written in; each has a guide on the set-up page. */
export const platforms = [
  { value: "javascript", label: "Browser JavaScript" },
  { value: "react", label: "React" },
  { value: "node", label: "Node.js" },
  { value: "python", label: "Python" },
  { value: "go", label: "Go" },
  { value: "ruby", label: "Ruby" },
  { value: "php", label: "PHP" },
  { value: "java", label: "Java" },
  { value: "dotnet", label: ".NET" },
  { value: "rust", label: "Rust" },
  { value: "shell", label: "Shell" },
  { value: "other", label: "Something else" },
];
