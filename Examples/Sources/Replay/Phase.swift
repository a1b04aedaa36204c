/// A part of a run, told apart by the fault window.
enum Phase: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
    case before
    case during
    case after
}
