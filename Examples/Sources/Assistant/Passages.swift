import Foundation
import Spillway

/// Paragraphs of a folder's texts, found by the words that they share with a question.
struct Passages: Sendable {
    private let all: [(text: String, words: Set<String>)]

    /// The paragraphs of all `.md` and `.txt` files of a folder.
    init(folder: String) throws {
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".md") || $0.hasSuffix(".txt")
        }
        self.init(try files.sorted().map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) })
    }

    init(_ texts: [String]) {
        all = texts.flatMap { $0.components(separatedBy: "\n\n") }.map { ($0, Self.words($0)) }
    }

    /// The paragraph that shares the most words with a question, and at least half of them.
    func closest(to question: String) throws(NoAnswer) -> String {
        let asked = Self.words(question)
        let found = all.map { (text: $0.text, shared: $0.words.intersection(asked).count) }.max {
            $0.shared < $1.shared
        }
        guard let found, found.shared > 0, found.shared * 2 >= asked.count else { throw NoAnswer() }
        return found.text
    }

    /// Words of four letters or more: shorter ones are in every text.
    private static func words(_ text: String) -> Set<String> {
        Set(text.lowercased().split { !$0.isLetter }.filter { $0.count >= 4 }.map(String.init))
    }
}
