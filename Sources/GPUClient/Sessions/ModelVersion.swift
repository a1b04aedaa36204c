/// The version of a model: major, minor and patch.
///
/// Versions are compared in that order (Preston-Werner, *Semantic Versioning 2.0.0*), without what follows the numbers.
public struct ModelVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number whose change may change what a conversation means.
    public let major: Int
    /// The second number; 0 where there is none.
    public let minor: Int
    /// The third number; 0 where there is none.
    public let patch: Int

    /// A version; negative numbers count as 0.
    public init(_ major: Int, _ minor: Int = 0, _ patch: Int = 0) {
        self.major = max(0, major)
        self.minor = max(0, minor)
        self.patch = max(0, patch)
    }

    /// The version that `text` says; nil: it says none.
    ///
    /// Read are `2`, `v2.1`, `2.1.3-rc1`, and after an at sign, as in `llama-3.1-70b@2.3.1`. Without the sign a name says no
    /// version: its numbers may be anything. What follows the numbers is not looked at.
    public init?(_ text: String) {
        var rest = text[...]
        if let sign = rest.lastIndex(of: "@") { rest = rest[rest.index(after: sign)...] }
        if rest.first == "v" || rest.first == "V" { rest.removeFirst() }
        var numbers: [Int] = []
        while numbers.count < 3 {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            // A point that no number follows ends the version, as in `2.x`.
            guard let number = Int(digits) else {
                if digits.isEmpty, !numbers.isEmpty { break }
                return nil
            }
            numbers.append(number)
            rest = rest[digits.endIndex...]
            guard rest.first == "." else {
                // As in `70b`, which is a size.
                if numbers.count == 1, rest.first?.isLetter == true { return nil }
                break
            }
            rest.removeFirst()
        }
        self.init(numbers[0], numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : 0)
    }

    /// Orders versions by major, minor and patch.
    public static func < (left: ModelVersion, right: ModelVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// The version as it is written, such as `2.3.1`.
    public var description: String { "\(major).\(minor).\(patch)" }
}
