using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;

namespace Harepd.Hooks;

/// <summary>What came of a hook.</summary>
/// <param name="ExitCode">Null when it did not end by itself, or could not be begun.</param>
/// <param name="Output">The beginning of what it wrote, standard output and error together, on one line.</param>
/// <param name="Problem">Why there is no exit code; empty when there is one.</param>
internal sealed record HookResult(int? ExitCode, string Output, string Problem, TimeSpan Took)
{
    /// <summary>One sentence for log and reason.</summary>
    public string Describe() => (Problem.Length > 0 ? Problem : $"exit code {ExitCode}") + (Output.Length > 0 ? $": {Output}" : "");
}

/// <summary>
/// Runs one hook to its end or its deadline, in a process group of its own that is killed whole. Nothing in it uses the thread pool, which votes need: the caller's
/// thread waits, and another reads the output. What the hook leaves behind after it has ended is left alone.
/// </summary>
internal static class HookProgram
{
    /// <summary>Of the output that is kept; the rest is read and dropped, so that no hook waits for a reader.</summary>
    private const int MostOutput = 2000;

    /// <summary>util-linux' program, an essential package everywhere; without it only the hook itself and its children are killed.</summary>
    private const string SetSid = "/usr/bin/setsid";

    /// <summary>For what is still in the pipe when the hook has ended, and for a killed one to be gone.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(500);

    /// <summary>What of the daemon's own environment is none of a hook's business.</summary>
    private static readonly string[] Withheld = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "PGPASSWORD", "LISTEN_FDS", "LISTEN_PID"];

    /// <param name="path">The program.</param>
    /// <param name="argument">Its only argument, the event.</param>
    /// <param name="environment">Added to the daemon's own.</param>
    /// <param name="timeout">From its start.</param>
    /// <param name="isEnding">Asked some times a second: true kills it at once.</param>
    public static HookResult Run(string path, string argument, IEnumerable<KeyValuePair<string, string>> environment, TimeSpan timeout, Func<bool> isEnding)
    {
        var began = BootClock.Now;
        if (HookFile.WhyNotRunnable(path) is { } reason)
        {
            return new HookResult(null, "", reason, TimeSpan.Zero);
        }

        try
        {
            using var process = Process.Start(StartOf(path, argument, environment))!;
            process.StandardInput.Close();
            var output = new Output(process.StandardOutput.BaseStream);
            var end = began + timeout;
            while (!process.WaitForExit(Slice(end)) && BootClock.Now < end && !isEnding())
            {
            }

            var isOver = process.HasExited;
            if (!isOver)
            {
                Kill(process);
            }

            var text = output.Text(Rest);
            var took = BootClock.Now - began;
            return isOver
                ? new HookResult(process.ExitCode, text, "", took)
                : new HookResult(null, text, isEnding() ? "killed, the daemon ends" : $"killed, it did not end within {timeout.TotalSeconds:0.###} s", took);
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException or IOException)
        {
            return new HookResult(null, "", $"{path} cannot be run: {error.Message}", BootClock.Now - began);
        }
    }

    private static TimeSpan Slice(Instant end)
    {
        var left = end - BootClock.Now;
        var slice = TimeSpan.FromMilliseconds(100);
        return left < slice ? left > TimeSpan.Zero ? left : TimeSpan.Zero : slice;
    }

    /// <summary>The shell only joins the two outputs and becomes the hook; setsid makes the same process the head of a group.</summary>
    private static ProcessStartInfo StartOf(string path, string argument, IEnumerable<KeyValuePair<string, string>> environment)
    {
        string[] words = ["/bin/sh", "-c", "exec \"$0\" \"$1\" 2>&1", path, argument];
        words = File.Exists(SetSid) ? [SetSid, .. words] : words;
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        foreach (var name in Withheld)
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>Not waited for yet, so the number is still its own; the group has it too.</summary>
    private static void Kill(Process process)
    {
        if (!File.Exists(SetSid) || Kernel.Kill(-process.Id, Kernel.SigKill) != 0)
        {
            process.Kill(entireProcessTree: true);
        }

        process.WaitForExit(Rest);
    }

    /// <summary>Reads a pipe on a thread of its own, until its end or until the result is taken: a child that lives on may keep the other end open for ever.</summary>
    private sealed class Output
    {
        private const int LookMilliseconds = 50;
        private readonly byte[] _kept = new byte[MostOutput];
        private readonly Lock _reading = new();
        private readonly Thread _thread;
        private int _length;
        private volatile bool _isTaken;

        public Output(Stream pipe)
        {
            _thread = new Thread(() => Read(pipe)) { Name = "hook-output", IsBackground = true };
            _thread.Start();
        }

        /// <summary>What was read so far, at the end or when the patience is over; control characters are blanks.</summary>
        public string Text(TimeSpan patience)
        {
            _thread.Join(patience);
            _isTaken = true;
            lock (_reading)
            {
                var text = Encoding.UTF8.GetString(_kept, 0, _length).Trim();
                return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
            }
        }

        private void Read(Stream pipe)
        {
            var buffer = new byte[4096];
            try
            {
                while (IsReadable(pipe) && pipe.Read(buffer) is var count and > 0)
                {
                    lock (_reading)
                    {
                        var kept = Math.Min(count, MostOutput - _length);
                        buffer.AsSpan(0, kept).CopyTo(_kept.AsSpan(_length));
                        _length += kept;
                    }
                }
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // The hook's result was taken without it.
            }
        }

        /// <summary>Waits until there is something to read, an end included; false once nobody wants it.</summary>
        private bool IsReadable(Stream pipe)
        {
            var handle = ((PipeStream)pipe).SafePipeHandle;
            while (!_isTaken)
            {
                Span<PollEntry> entry = [new PollEntry((int)handle.DangerousGetHandle(), Kernel.PollIn)];
                if (Kernel.Poll(entry, LookMilliseconds) != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
