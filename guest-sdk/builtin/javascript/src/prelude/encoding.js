// Text as UTF-8 and back, as the web and Node.js have it.

globalThis.TextEncoder ??= class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') {
        const bytes = [];
        for (const character of String(text).toWellFormed()) {
            const point = character.codePointAt(0);
            if (point < 0x80) bytes.push(point);
            else if (point < 0x800) bytes.push(0xc0 | point >> 6, 0x80 | point & 63);
            else if (point < 0x10000) bytes.push(0xe0 | point >> 12, 0x80 | point >> 6 & 63, 0x80 | point & 63);
            else bytes.push(0xf0 | point >> 18, 0x80 | point >> 12 & 63, 0x80 | point >> 6 & 63, 0x80 | point & 63);
        }
        return new Uint8Array(bytes);
    }
};

globalThis.TextDecoder ??= class TextDecoder {
    constructor(label = 'utf-8') {
        if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder knows utf-8 only, not ${label}`);
    }
    get encoding() { return 'utf-8'; }
    decode(input = new Uint8Array()) {
        const bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
        const parts = [];
        for (let at = 0; at < bytes.length;) {
            const first = bytes[at++];
            let more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : -1;
            let point = more === 0 ? first : first & (0x3f >> more);
            const least = [0, 0x80, 0x800, 0x10000][more];
            for (; more > 0; more--) {
                if ((bytes[at] & 0xc0) !== 0x80) break;
                point = point << 6 | bytes[at++] & 63;
            }
            const valid = more === 0 && point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
            parts.push(valid ? String.fromCodePoint(point) : '\ufffd');
        }
        const text = parts.join('');
        return text.startsWith('\ufeff') ? text.slice(1) : text;
    }
};
