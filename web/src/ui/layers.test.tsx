import { configure, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "./Menu";
import { Tooltip } from "./Tooltip";

// What floats is loaded when it is asked for, which may take a while on a machine that is busy.
configure({ asyncUtilTimeout: 10_000 });

describe("a menu", () => {
  const setup = () => {
    const onSelect = vi.fn();
    const onChange = vi.fn();
    render(
      <Menu label="Ways" trigger={<button type="button">Open</button>}>
        <MenuLabel>Ways to run</MenuLabel>
        <MenuItem onSelect={onSelect} keys="r">
          Again
        </MenuItem>
        <MenuItem onSelect={onSelect} refused="Members may.">
          Delete
        </MenuItem>
        <MenuSeparator />
        <MenuChoice label="Theme" value="dark" options={[{ value: "dark", label: "Dark" }, { value: "light", label: "Light" }]} onChange={onChange} />
      </Menu>,
    );
    return { onSelect, onChange };
  };

  it("says what it is before it came, opens on a press and runs what is chosen", async () => {
    const { onSelect } = setup();
    const trigger = screen.getByRole("button", { name: "Open" });
    expect(trigger.getAttribute("aria-haspopup")).toBe("menu");
    expect(trigger.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(trigger);
    fireEvent.click(await screen.findByRole("menuitem", { name: /Again/ }));
    expect(onSelect).toHaveBeenCalledOnce();
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
  });

  it("opens by arrow, marks the choice, and refuses with the reason", async () => {
    const { onSelect, onChange } = setup();
    fireEvent.keyDown(screen.getByRole("button", { name: "Open" }), { key: "ArrowDown" });
    expect((await screen.findByRole("menuitemradio", { name: "Dark" })).getAttribute("aria-checked")).toBe("true");
    const refused = screen.getByRole("menuitem", { name: /Delete.*Members may\./ });
    expect(refused.getAttribute("aria-disabled")).toBe("true");
    fireEvent.click(refused);
    expect(onSelect).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("menuitemradio", { name: "Light" }));
    expect(onChange).toHaveBeenCalledWith("light");
  });
});

describe("a tip", () => {
  const setup = () => {
    const onPointerEnter = vi.fn();
    render(
      <Tooltip text="What it does">
        <button type="button" onPointerEnter={onPointerEnter}>
          Do
        </button>
      </Tooltip>,
    );
    return { button: screen.getByRole("button", { name: "Do" }), onPointerEnter };
  };

  it("comes after a rest, describes its thing, and goes with Escape", async () => {
    const { button, onPointerEnter } = setup();
    fireEvent.pointerEnter(button, { pointerType: "mouse" });
    expect(onPointerEnter).toHaveBeenCalledOnce();
    const tip = await screen.findByRole("tooltip");
    expect(tip.textContent).toBe("What it does");
    expect(button.getAttribute("aria-describedby")).toBe(tip.id);
    fireEvent.keyDown(document, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("tooltip")).toBeNull());
    expect(button.hasAttribute("aria-describedby")).toBe(false);
  });

  it("stays while it is pointed at, and leaves the focus where it is", async () => {
    const { button } = setup();
    button.focus();
    fireEvent.pointerEnter(button, { pointerType: "mouse" });
    const tip = await screen.findByRole("tooltip");
    expect(document.activeElement).toBe(button);
    fireEvent.pointerLeave(button);
    fireEvent.pointerEnter(tip);
    expect(screen.getByRole("tooltip")).toBe(tip);
    fireEvent.pointerLeave(tip);
    await waitFor(() => expect(screen.queryByRole("tooltip")).toBeNull());
  });

  it("does not come while something is pressed", async () => {
    const { button } = setup();
    fireEvent.pointerEnter(button, { pointerType: "mouse" });
    await screen.findByRole("tooltip");
    fireEvent.pointerDown(button);
    await waitFor(() => expect(screen.queryByRole("tooltip")).toBeNull());
  });
});
