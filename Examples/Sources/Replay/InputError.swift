import Foundation

/// Says what is wrong with something that a person or another program handed to Replay.
struct InputError: Error, CustomStringConvertible, Equatable {
    let description: String

    /// Wraps a message that already names the field and the value.
    init(_ description: String) {
        self.description = description
    }

    /// Turns a decoding failure into "source: path.to.field: what was wrong".
    init(_ error: any Error, in source: String) {
        switch error {
        case let error as DecodingError:
            self.init("\(source): \(Self.describe(error))")
        case let error as InputError:
            self.init("\(source): \(error.description)")
        default:
            self.init("\(source): \(error)")
        }
    }

    /// Names the field by its path, because a decoding error's own text does not.
    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            return "\(path(context.codingPath + [key])): missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(path(context.codingPath)): \(context.debugDescription)"
        case .dataCorrupted(let context):
            let why = context.underlyingError.map { " (\($0))" } ?? ""
            return context.codingPath.isEmpty
                ? "not valid JSON\(why)" : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }

    /// Writes a coding path as `steps[0].faults[2].probability`.
    static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}
