import Spillway

extension Gate {
    /// Why it would refuse a call that takes nothing; nil: it would not.
    func refusal(at now: Instant) -> Reason? {
        do throws(Rejection) {
            let permit = try admit(Call(), at: now)
            permit.void(at: now)
            return nil
        } catch {
            return error.reason
        }
    }
}
