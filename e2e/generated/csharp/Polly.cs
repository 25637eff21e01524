// Stands in for the package Polly: what the generated retries name, so that they compile. Nothing is retried.
using System;
using System.Threading.Tasks;

namespace Polly
{
    public enum OutcomeType { Successful, Failure }
    public class PolicyResult<T> { public OutcomeType Outcome; public T Result; public Exception FinalException; }
    public interface ISyncPolicy<T> { PolicyResult<T> ExecuteAndCapture(Func<T> action); }
    public interface IAsyncPolicy<T> { Task<PolicyResult<T>> ExecuteAndCaptureAsync(Func<Task<T>> action); }
}
