import Testing

@testable import Gateway

struct KeyTests {
    private static let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func `a key is known by its SHA-256 hash alone`() throws {
        #expect(KeyHash(of: "abc").text == Self.abc)
        #expect(KeyHash(of: "abc").short == "ba7816bf")
        #expect(try #require(KeyHash(Self.abc)) == KeyHash(of: "abc"))
        #expect(KeyHash(Self.abc.uppercased().replacing("SHA256", with: "sha256")) == KeyHash(of: "abc"))
    }

    @Test(arguments: [
        "", "abc", "sha256:", String(abc.dropLast()), abc + "0", "md5:" + abc.dropFirst(7), abc.dropLast() + "g",
    ])
    func `what is no hash is none`(text: String) {
        #expect(KeyHash(text) == nil)
    }

    @Test func `a ring knows its keys and no others`() {
        let ring = KeyRing([(KeyHash(of: "a"), 1), (KeyHash(of: "b"), 2), (KeyHash(of: "c"), 3)])
        #expect(["a", "b", "c"].map { ring.owner(of: $0) } == [1, 2, 3])
        #expect(["", "A", "ab", "b ", KeyHash(of: "b").text].allSatisfy { ring.owner(of: $0) == nil })
        #expect(KeyRing<Int>([]).owner(of: "") == nil)
    }
}
