/// All passages of a folder, and the texts of those that have no vector yet.
struct Corpus: Sendable {
    /// One passage, by where it stands.
    struct Passage: Sendable, Equatable {
        /// The place of its file among ``Corpus/files``.
        let file: Int
        /// Its number within its file, from 0.
        let number: Int
        /// Where it stands in its file, in bytes behind a byte order mark.
        let range: Range<Int>
        let key: PassageKey
    }

    /// One passage to embed.
    struct Pending: Sendable {
        let key: PassageKey
        let text: String
        /// As estimated.
        let tokens: Int
    }

    /// Paths relative to the folder.
    private(set) var files: [String] = []
    /// In the order of the files.
    private(set) var passages: [Passage] = []
    /// What is to be embedded, in the same order, none twice.
    private(set) var pending: [Pending] = []
    /// How many different passages there are.
    private(set) var count = 0
    /// Files that were skipped, with the reason.
    private(set) var notes: [String] = []

    /// Reads and cuts all files.
    ///
    /// - Parameter isDone: Whether a passage need not be embedded; then its text is let go.
    init(
        _ folder: TextFolder, _ cutter: PassageCutter, model: String, dimensions: Int?, isDone: (PassageKey) -> Bool
    ) {
        let (paths, notes) = folder.paths()
        self.notes = notes
        var seen: Set<PassageKey> = []
        for path in paths {
            let (bytes, note) = folder.text(path)
            if let note { self.notes.append(note) }
            guard let bytes else { continue }
            for (number, range) in cutter.cut(bytes).enumerated() {
                let text = String(decoding: bytes[range], as: UTF8.self)
                let key = PassageKey(text, model: model, dimensions: dimensions)
                passages.append(Passage(file: files.count, number: number, range: range, key: key))
                guard seen.insert(key).inserted, !isDone(key) else { continue }
                pending.append(Pending(key: key, text: text, tokens: PassageCutter.tokens(of: text)))
            }
            files.append(path)
        }
        count = seen.count
    }
}
