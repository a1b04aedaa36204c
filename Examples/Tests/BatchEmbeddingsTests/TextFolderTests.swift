import Foundation
import Testing

@testable import BatchEmbeddings

@Suite struct TextFolderTests {
    private func corpus(_ place: Workplace, isDone: (PassageKey) -> Bool = { _ in false }) -> Corpus {
        let folder = TextFolder(
            root: place.input, extensions: ["txt", "md"], except: place.input.appendingPathComponent("out"))
        return Corpus(folder, PassageCutter(tokens: 40, overlap: 5), model: "m", dimensions: nil, isDone: isDone)
    }

    @Test func `files are found below all folders, in the order of their bytes`() throws {
        let place = try Workplace([
            "b.txt": "b", "B.md": "B", "a/z.txt": "z", "a/y/x.MD": "x", "ä.md": "ä", "a.txt": "a", "c.html": "no",
            "out/d.md": "no",
            ".git/e.md": "no", ".f.md": "no",
        ])
        #expect(corpus(place).files == ["B.md", "a.txt", "a/y/x.MD", "a/z.txt", "b.txt", "ä.md"])
        #expect(corpus(place).notes.isEmpty)
    }

    @Test func `what is no text is skipped with a note`() throws {
        let place = try Workplace(["good.txt": "good", "empty.txt": ""])
        try place.write("binary.txt", [0x41, 0x00, 0x42])
        try place.write("latin.txt", [0x41, 0xE4, 0x42])
        let link = place.input.appendingPathComponent("link.txt")
        try FileManager.default.createSymbolicLink(
            at: link, withDestinationURL: place.input.appendingPathComponent("good.txt"))
        let circle = place.input.appendingPathComponent("circle")
        try FileManager.default.createSymbolicLink(at: circle, withDestinationURL: place.input)
        let corpus = corpus(place)
        #expect(corpus.files == ["empty.txt", "good.txt"] && corpus.passages.count == 1)
        #expect(
            corpus.notes == [
                "link.txt: skipped, because it is a link", "binary.txt: skipped, because it is binary",
                "latin.txt: skipped, because it is not UTF-8",
            ])
    }

    @Test func `a byte order mark is no part of the text`() throws {
        let place = try Workplace(["plain.txt": "the text"])
        try place.write("marked.txt", [0xEF, 0xBB, 0xBF] + Array("the text".utf8))
        let corpus = corpus(place)
        #expect(corpus.passages.map(\.key).count == 2 && corpus.count == 1)
    }

    @Test func `a passage that stands in two places, or is done, is not asked for`() throws {
        let place = try Workplace(["a.txt": "the same", "b.txt": "the same", "c.txt": "another"])
        let all = corpus(place)
        #expect(all.passages.map(\.file) == [0, 1, 2] && all.count == 2)
        #expect(all.pending.map(\.text) == ["the same", "another"] && all.pending.map(\.tokens) == [2, 2])
        let rest = corpus(place) { $0 == all.pending[0].key }
        #expect(rest.pending.map(\.text) == ["another"] && rest.passages == all.passages)
    }

    @Test func `a key tells models, dimensions and texts apart`() throws {
        let keys = [
            PassageKey("text", model: "m", dimensions: nil), PassageKey("text", model: "m", dimensions: 8),
            PassageKey("text", model: "m2", dimensions: nil), PassageKey("text2", model: "m", dimensions: nil),
        ]
        #expect(Set(keys).count == 4)
        for key in keys { #expect(PassageKey("\(key)") == key && "\(key)".count == 32) }
        #expect(PassageKey("0123456789abcdef") == nil && PassageKey(String(repeating: "g", count: 32)) == nil)
        // The first half of SHA-256("m\0" + "0\0" + "text"), as sha256sum has it.
        #expect("\(keys[0])" == "b397b72e9328909bc0399b57e0192692")
    }
}
