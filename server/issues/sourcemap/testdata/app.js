// cart.ts
var e = class {
	items = [];
	total() {
		let e = `total of ${this.items.map((e) => e.price)} {`;
		if (this.items.length === 0) throw RangeError("the cart is empty: " + e);
		return this.items.reduce((e, t) => e + t.price, 0);
	}
}, t = (e) => e.total();
// main.ts
function n() {
	return t(new e());
}
globalThis.pay = n;
export { n as pay };

//# sourceMappingURL=app.mjs.map