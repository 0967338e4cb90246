using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Harepd.Peers;

/// <summary>Writes each refusal down once for each address and reason, and stops at a bound: strangers cannot fill the log.</summary>
internal sealed class RefusalLog(ILogger log)
{
    private const int MaxKinds = 256;
    private static readonly EventId Refused = new(310, "CallRefused");
    private static readonly EventId Failed = new(311, "CallFailed");
    private readonly ConcurrentDictionary<(string Who, string What), bool> _seen = new();

    /// <summary>True while the service calls itself to warm up: its own malformed call is no news.</summary>
    public volatile bool IsQuiet;

    /// <summary>A call from <paramref name="address"/> was refused.</summary>
    public void NoteRefusal(string address, string method, string reason)
    {
        if (!IsQuiet && IsNews(address, $"{method} {reason}"))
        {
            log.LogWarning(Refused, "refused {Method} from {Address}: {Reason}", method, address, reason);
        }
    }

    /// <summary>A handler failed in a way that nobody foresaw.</summary>
    public void NoteFault(string method, Exception fault)
    {
        if (IsNews(method, fault.GetType().Name))
        {
            log.LogError(Failed, fault, "{Method} failed", method);
        }
    }

    private bool IsNews(string who, string what) => _seen.Count < MaxKinds && _seen.TryAdd((who, what), true);
}
