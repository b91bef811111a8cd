import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { refreshing, type Visible } from "./refresh";

class Page extends EventTarget {
  hidden = false;

  show(visible: boolean): void {
    this.hidden = !visible;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

describe("what refreshes by itself", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const begin = (read: () => Promise<unknown>, page = new Page()) => {
    const end = refreshing(read, 5_000, page as unknown as Visible);
    return { page, end };
  };

  it("is read at once and then every so often, until it is left", async () => {
    const read = vi.fn(() => Promise.resolve());
    const { end } = begin(read);
    expect(read).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(15_100);
    expect(read).toHaveBeenCalledTimes(4);
    end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toHaveBeenCalledTimes(4);
  });

  it("waits for an answer before it asks again", async () => {
    let answer: () => void = () => {};
    const read = vi.fn(() => new Promise<void>((done) => (answer = done)));
    begin(read);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toHaveBeenCalledTimes(1);
    answer();
    await vi.advanceTimersByTimeAsync(4_900);
    expect(read).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("rests while nobody looks, and catches up when somebody does", async () => {
    const read = vi.fn(() => Promise.resolve());
    const { page } = begin(read);
    await vi.advanceTimersByTimeAsync(1_000);
    page.show(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toHaveBeenCalledTimes(1);
    page.show(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(read).toHaveBeenCalledTimes(3);
  });
});
