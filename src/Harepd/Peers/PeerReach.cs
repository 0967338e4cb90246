using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Grpc;
using Microsoft.Extensions.Logging;

namespace Harepd.Peers;

/// <summary>How a peer is reached at one moment.</summary>
/// <param name="Peer">The member.</param>
/// <param name="IsReachable">Null before the first outcome.</param>
/// <param name="Since">Since when, on the boot-time clock.</param>
/// <param name="Detail">Why not, for people; empty when reachable.</param>
internal sealed record PeerReachState(MemberId Peer, bool? IsReachable, Instant Since, string Detail);

/// <summary>
/// Follows whether a peer is reached, and writes down changes alone: never a line a tick. A peer is called unreachable only after several failures
/// in a row, so that one late answer is no news. Thread-safe.
/// </summary>
internal sealed class PeerReach(MemberId peer, ILogger log)
{
    private const int FailuresInARow = 3;
    private static readonly EventId Reached = new(300, "PeerReachable");
    private static readonly EventId Lost = new(301, "PeerUnreachable");
    private static readonly EventId Refused = new(302, "PeerRefuses");

    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _refusals = [];
    private int _failures;
    private PeerReachState _state = new(peer, null, BootClock.Now, "");

    public PeerReachState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>An answer came, and it was one.</summary>
    public void NoteAnswer(string method)
    {
        lock (_lock)
        {
            _refusals.Remove(method);
            NoteReached();
        }
    }

    /// <summary>A call failed. A status that only the peer itself can have given means that it is reached and refuses.</summary>
    public void NoteFailure(string method, GrpcException failure)
    {
        lock (_lock)
        {
            if (failure.Code is not (GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded))
            {
                NoteReached();
                NoteRefusal(method, failure);
            }
            else if (++_failures >= FailuresInARow && _state.IsReachable != false)
            {
                _state = new PeerReachState(peer, false, BootClock.Now, failure.Detail);
                log.LogWarning(Lost, "peer {Peer} is not reached: {Reason}", peer, failure.Detail);
            }
        }
    }

    private void NoteReached()
    {
        _failures = 0;
        if (_state.IsReachable != true)
        {
            _state = new PeerReachState(peer, true, BootClock.Now, "");
            log.LogInformation(Reached, "peer {Peer} is reached", peer);
        }
    }

    private void NoteRefusal(string method, GrpcException failure)
    {
        if (_refusals.GetValueOrDefault(method) != failure.Detail)
        {
            _refusals[method] = failure.Detail;
            log.LogWarning(Refused, "peer {Peer} refuses {Method}: {Code}, {Reason}", peer, method, failure.Code, failure.Detail);
        }
    }
}
