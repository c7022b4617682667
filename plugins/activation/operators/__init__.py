"""One module an operator: template fields, and state in and out. The work is done on the floors below."""
