"""One exchange of rows of spine and views by key, and the kernel on the stream that comes out."""
