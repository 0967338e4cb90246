using Harepd.Files;

namespace Harepd.Postgres.Linux;

/// <summary>
/// Wakes a thread that waits in poll(2) beside other descriptors (an eventfd). Any thread may signal; signals that meet before the wait is over are one.
/// </summary>
internal sealed class WakeEvent : IDisposable
{
    private readonly Lock _gate = new();
    private int _descriptor = Kernel.EventFd(0, Kernel.NonBlockingCloseOnExec);

    /// <summary>For poll: readable after a signal until it is drained.</summary>
    public int Descriptor => _descriptor;

    public void Signal()
    {
        // Under the lock, so that a late signal never writes into a number that was given to another file.
        lock (_gate)
        {
            if (_descriptor >= 0)
            {
                ReadOnlySpan<byte> one = [1, 0, 0, 0, 0, 0, 0, 0];
                _ = Posix.Write(_descriptor, one, 8);
            }
        }
    }

    /// <summary>Takes the signals that came so far; true when there was one.</summary>
    public bool Drain()
    {
        Span<byte> count = stackalloc byte[8];
        return Posix.Read(_descriptor, count, 8) == 8;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_descriptor >= 0)
            {
                _ = Posix.Close(_descriptor);
                _descriptor = -1;
            }
        }
    }
}
