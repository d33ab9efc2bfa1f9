import "./styles/index.css";
import { createRoot } from "react-dom/client";
import { StatusGlyph } from "@/ui/StatusGlyph";

createRoot(document.getElementById("root") as HTMLElement).render(<StatusGlyph status="running" label="starting" />);
