/// Is told what an attempt uses while it runs.
package protocol UsageSink: AnyObject, Sendable {
    /// All that the attempt has used so far; false when it must stop.
    func used(_ usage: Usage) -> Bool
}
