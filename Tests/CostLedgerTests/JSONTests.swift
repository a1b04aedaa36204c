import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct JSONTests {
    private func read(_ text: String) throws -> JSON { try JSON(Array(text.utf8)) }

    @Test func `values are read, and numbers stay as they are written`() throws {
        let json = try read(
            " {\"a\" : [1e-06, -0, 2.50, 123456789012345678901234567890] ,\n\t\"b\\u00e9\\ud83d\\ude00\\n\":true,\r"
                + "\"c\":null, \"d\":{}, \"e\":[], \"f\":\"é/\\/\", \"g\": false} ")
        #expect(
            json["a"]?.elements?.compactMap(\.literal) == ["1e-06", "-0", "2.50", "123456789012345678901234567890"])
        #expect(json["bé😀\n"] == .bool(true))
        #expect(json["c"] == nil)
        #expect(json["d"] == .object([]))
        #expect(json["e"] == .array([]))
        #expect(json["f"]?.text == "é//")
        #expect(json.members?.map(\.key) == ["a", "bé😀\n", "c", "d", "e", "f", "g"])
    }

    @Test(
        arguments: [
            ("", 0, "ends too early"), ("  ", 2, "ends too early"), ("{", 1, "ends too early"),
            ("{\"a\"", 4, "ends too early"), ("{\"a\":", 5, "ends too early"), ("{\"a\":1", 6, "ends too early"),
            ("[1,", 3, "ends too early"), ("[1,]", 3, "a value expected"), ("{\"a\":1,}", 7, "a key expected"),
            ("{a:1}", 1, "a key expected"), ("{\"a\" 1}", 5, "':' expected"), ("[1 2]", 3, "']' expected"),
            ("1 2", 2, "text after the value"), ("01", 1, "a number begins with 0"), ("-", 1, "ends too early"),
            ("-x", 1, "a digit expected"), ("1.", 2, "ends too early"), ("1.e5", 2, "a digit expected"),
            (".5", 0, "a value expected"), ("+1", 0, "a value expected"), ("1e", 2, "ends too early"),
            ("1e+", 3, "ends too early"), ("NaN", 0, "a value expected"), ("tru", 3, "ends too early"),
            ("trux", 3, "'true' expected"), ("\"a", 2, "ends too early"),
            ("\"\n\"", 1, "a control character in a string"),
            ("\"\\x\"", 1, "no such escape"), ("\"\\u12g4\"", 5, "a hexadecimal digit expected"),
            ("\"\\ud800\"", 1, "half a surrogate pair"), ("\"\\udc00\"", 1, "half a surrogate pair"),
            ("\"\\ud800\\u0041\"", 1, "half a surrogate pair"), ("{\"a\":1,\"a\":2}", 7, "the key 'a' again"),
            ("'a'", 0, "a value expected"), ("[1]]", 3, "text after the value"), ("// 1", 0, "a value expected"),
        ] as [(String, Int, String)])
    func `what is no strict JSON is refused at its byte`(text: String, offset: Int, reason: String) {
        #expect(throws: MalformedJSON(reason: reason, offset: offset)) { try read(text) }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        for bytes: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(throws: MalformedJSON(reason: "not UTF-8", offset: 2)) {
                try JSON([0x5B, 0x22] + bytes + [0x22, 0x5D])
            }
        }
        #expect(throws: MalformedJSON.self) { try JSON([0xEF, 0xBB, 0xBF, 0x31]) }
    }

    @Test func `depth and size are bounded`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try read(nested(JSON.deepest))
        #expect(throws: MalformedJSON(reason: "deeper than 64", offset: 64)) { try read(nested(65)) }
        #expect(throws: MalformedJSON.self) { try read(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: MalformedJSON(reason: "more than 67108864 bytes", offset: JSON.longest)) {
            try JSON(repeatElement(UInt8(ascii: " "), count: JSON.longest + 1))
        }
    }

    @Test func `a duplicate among many keys is found`() throws {
        let members = (0..<40).map { "\"k\($0)\":\($0)" }
        #expect(try read("{" + members.joined(separator: ",") + "}")["k39"]?.literal == "39")
        for again in [3, 16, 39] {
            #expect(throws: MalformedJSON.self) {
                try read("{" + (members + [members[again]]).joined(separator: ",") + "}")
            }
        }
    }

    @Test func `changed text never crashes the reader`() {
        let good =
            #"{"a": [1e-06, -0.5, true, null, {"b": "x\u00e9\ud83d\ude00\n"}], "c": {"d": {"e": []}}, "f": "é😀"}"#
        forEachSeed(5_000) { seed, random in
            let bytes = random.mutated(good)
            do throws(MalformedJSON) {
                _ = try JSON(bytes)
            } catch {
                #expect((0...bytes.count).contains(error.offset), "seed \(seed)")
            }
        }
    }
}
