namespace Harepd.Lab.Machine;

/// <summary>The lab could not do what was asked: a server did not start, a wait ran out. The message says what and shows the end of the log.</summary>
public sealed class LabException : Exception
{
    public LabException()
    {
    }

    public LabException(string message)
        : base(message)
    {
    }

    public LabException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
