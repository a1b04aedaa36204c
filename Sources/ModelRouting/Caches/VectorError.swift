/// A vector that cannot be compared with others.
public enum VectorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// It has another number of components than the cache was made for.
    case dimension(Int, expected: Int)
    /// A component is infinite, or no number.
    case notFinite(component: Int)
    /// All components are 0, so that it has no direction.
    case zero

    /// One line.
    public var description: String {
        switch self {
        case .dimension(let count, let expected): "a vector of \(count) components where all have \(expected)"
        case .notFinite(let component): "component \(component) of a vector is infinite or no number"
        case .zero: "a vector of zeros has no direction"
        }
    }
}
