import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { RunStrip } from "./RunStrip";
import { statuses, statusWord } from "./status";
import { Status } from "./StatusGlyph";

const bars = () => [...document.querySelectorAll<HTMLElement>(".strip i")];

describe("RunStrip", () => {
  it("gives each outcome its form and the longest the full height", () => {
    render(
      <RunStrip
        label="web, last 4 builds"
        bars={[
          { status: "succeeded", value: 10 },
          { status: "failed", value: 100 },
          { status: "aborted", value: 0 },
          { status: "running", value: 50 },
        ]}
      />,
    );
    expect(bars().map((bar) => bar.className)).toEqual(["s", "f", "a", "r"]);
    expect(bars().map((bar) => bar.style.getPropertyValue("--h"))).toEqual(["6", "13", "5", "9"]);
  });

  it("is read aloud as what it is and how it went", () => {
    render(<RunStrip label="web" bars={[{ status: "succeeded", value: 1 }, { status: "succeeded", value: 2 }, { status: "failed", value: 2 }]} />);
    expect(screen.getByRole("img", { name: "web: 2 succeeded, 1 failed" })).toBeTruthy();
  });

  it("fills up at the left, so that the newest bars stand in one line", () => {
    render(<RunStrip label="web" bars={[{ status: "failed", value: 1 }]} slots={4} />);
    expect(bars().map((bar) => bar.className)).toEqual(["z", "z", "z", "f"]);
  });

  it("shows counts without an outcome, and zero as a line", () => {
    render(<RunStrip label="events" bars={[{ status: "count", value: 0 }, { status: "count", value: 4 }, { status: "count", value: 2 }]} />);
    expect(bars().map((bar) => bar.className)).toEqual(["z", "d", "d now"]);
    expect(screen.getByRole("img", { name: "events: 6 in all" })).toBeTruthy();
  });

  it("says that there is nothing yet", () => {
    render(<RunStrip label="web" bars={[]} />);
    expect(screen.getByRole("img", { name: "web: nothing yet" })).toBeTruthy();
  });
});

describe("Status", () => {
  it.each(statuses)("%s has a form of its own and its word", (status) => {
    const { container } = render(<Status status={status} />);
    expect(container.querySelector("svg")?.innerHTML).not.toBe("");
    expect(container.textContent).toBe(statusWord(status));
  });

  it("draws no two alike", () => {
    const drawn = statuses.map((status) => render(<Status status={status} />).container.querySelector("svg")?.innerHTML);
    expect(new Set(drawn).size).toBe(statuses.length);
  });
});
