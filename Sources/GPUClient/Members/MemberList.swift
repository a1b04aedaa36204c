internal import SpillwayCore

/// Reads the members of a fleet from text: one a line, `name address key=value …`.
///
///     # two zones
///     gpu-1  10.0.1.1:8000  zone=a model=llama-3.1-70b@2.3.1
///     gpu-2  10.0.2.1:8000  zone=b model=llama-3.1-70b@2.3.1 weight=0.5 label.class=h100
///
/// Keys are `zone`, `region`, `model`, `version`, `weight`, `cost` (of an hour), `kv` and `window` (tokens), and `label.` with a
/// name. A version may stand after an at sign of the model. What follows a `#` at the start of a line or after a blank is a comment.
/// A key that is none of these is an error, and so is every other line that cannot be read: a list is good as a whole or not at all.
public struct MemberList: Sendable, Hashable {
    /// The members, in the order of their lines.
    public let members: [Member]

    /// Reads a list.
    ///
    /// - Throws: ``MemberListError`` with every line that cannot be read, up to 20.
    public init(_ text: String) throws(MemberListError) {
        var members: [Member] = [], lines: [String: Int] = [:], problems: [MemberListError.Problem] = []
        let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in all.enumerated() where problems.count < MemberListError.most {
            do throws(MemberListError.Problem) {
                guard let member = try Self.member(line, index + 1) else { continue }
                if let other = lines.updateValue(index + 1, forKey: member.name) {
                    throw MemberListError.Problem(
                        line: index + 1, message: "\(member.name) is in line \(other) already")
                }
                members.append(member)
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw MemberListError(problems: problems) }
        self.members = members
    }

    /// The member of a line; nil: there is none.
    private static func member(_ line: Substring, _ number: Int) throws(MemberListError.Problem) -> Member? {
        func wrong(_ message: String) -> MemberListError.Problem {
            MemberListError.Problem(line: number, message: message)
        }
        let words = line.split(whereSeparator: \.isWhitespace).prefix { !$0.hasPrefix("#") }
        guard let name = words.first else { return nil }
        guard words.count > 1 else { throw wrong("\(name) has no address") }
        guard !name.contains("="), !words[1].contains("=") else { throw wrong("a name and an address come first") }
        var member = Member(String(name), address: String(words[1])), seen: Set<Substring> = []
        for word in words.dropFirst(2) {
            guard let sign = word.firstIndex(of: "=") else { throw wrong("'\(word)' is no key=value") }
            let key = word[..<sign], value = String(word[word.index(after: sign)...])
            guard seen.insert(key).inserted else { throw wrong("\(key) is there twice") }
            guard !value.isEmpty else { throw wrong("\(key) has no value") }
            guard keys.contains(key) || key.hasPrefix("label.") && key.utf8.count > 6 else {
                throw wrong("there is no '\(key)'; there are \(keys.joined(separator: ", ")) and label.NAME")
            }
            guard set(key, value, of: &member) else { throw wrong("\(key) cannot be '\(value)'") }
        }
        do throws(ConfigurationError) {
            try member.validate()
        } catch {
            throw wrong("\(error)")
        }
        return member
    }

    private static let keys: [Substring] = ["zone", "region", "model", "version", "weight", "cost", "kv", "window"]

    /// Whether the key can have this value.
    private static func set(_ key: Substring, _ value: String, of member: inout Member) -> Bool {
        switch key {
        case "zone": member.zone = value
        case "region": member.region = value
        case "model":
            guard let sign = value.lastIndex(of: "@") else {
                member.model = value
                return true
            }
            guard let version = ModelVersion(value) else { return false }
            member.model = String(value[..<sign])
            // One that is said by its own key counts, wherever it stands.
            member.version = member.version ?? version
        case "version":
            guard let version = ModelVersion(value) else { return false }
            member.version = version
        case "weight":
            guard let weight = Double(value) else { return false }
            member.weight = weight
        case "cost":
            guard let cost = Double(value) else { return false }
            member.costPerHour = cost
        case "kv", "window":
            guard let tokens = Int(value) else { return false }
            if key == "kv" { member.kvTokens = tokens } else { member.window = tokens }
        default: member.labels[String(key.dropFirst(6))] = value
        }
        return true
    }
}

/// What of a list of members cannot be read.
public struct MemberListError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A line that cannot be read.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// The line, counted from 1.
        public let line: Int
        /// What is wrong with it.
        public let message: String

        /// The line and what is wrong with it.
        public var description: String { "line \(line): \(message)" }
    }

    /// The most problems that are told.
    static let most = 20

    /// The lines that cannot be read, the first 20 of them.
    public let problems: [Problem]

    /// All problems in one line.
    public var description: String { problems.map(\.description).joined(separator: "; ") }
}
