using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Harepd.Cli;

/// <summary>
/// The process's signals, taken before anything else runs, so that none of them ends the process by default while it starts:
/// SIGTERM and SIGINT ask for a clean stop, SIGHUP for a reload. Thread-safe.
/// </summary>
internal sealed class HostSignals : IDisposable
{
    /// <summary>SIGUSR1 on Linux; the runtime's enumeration names only the portable ones and takes raw numbers for the rest.</summary>
    private const int SigUsr1 = 10;

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _handover = new();
    private readonly Channel<bool> _reloads = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Cancelled by the first SIGTERM or SIGINT.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>One item a SIGHUP; several before the first is read are one.</summary>
    public ChannelReader<bool> Reloads => _reloads.Reader;

    /// <summary>Takes the signals of this process.</summary>
    public static HostSignals Register()
    {
        var signals = new HostSignals();
        signals.Take(PosixSignal.SIGTERM, signals.AskToStop);
        signals.Take(PosixSignal.SIGINT, signals.AskToStop);
        signals.Take(PosixSignal.SIGHUP, signals.AskToReload);
        signals.Take((PosixSignal)SigUsr1, signals.AskToHandOver);
        return signals;
    }

    /// <summary>As by SIGTERM.</summary>
    public void AskToStop() => _stop.Cancel();

    /// <summary>Cancelled by SIGUSR1: leave everything as it is for the next run, which resumes (an upgrade without an outage).</summary>
    public CancellationToken Handover => _handover.Token;

    /// <summary>As by SIGUSR1.</summary>
    public void AskToHandOver() => _handover.Cancel();

    /// <summary>As by SIGHUP.</summary>
    public void AskToReload() => _reloads.Writer.TryWrite(true);

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _stop.Dispose();
        _handover.Dispose();
    }

    private void Take(PosixSignal signal, Action action) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        action();
    }));
}
